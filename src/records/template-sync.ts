import { setTimeout as pause } from "node:timers/promises";
import { sql } from "kysely";
import { alone } from "../store/alone.ts";
import type { Database } from "../store/database.ts";
import type { Directory, DirectoryNumber } from "../tenancy/directory.ts";
import { type ListedTemplate, storeTemplates } from "./store-templates.ts";

/** All templates of a number's WABA, as 360dialog has them now. */
export type ListTemplates = (
  number: DirectoryNumber,
) => Promise<{ kind: "ok"; templates: ListedTemplate[] } | { kind: "failed"; reason: string }>;

export type TemplateSync = {
  /** Fetches what is due, one WABA after the other, unless another process is at it. */
  syncDue: () => Promise<void>;
  stop: () => Promise<void>;
};

const EVERY_MS = 6 * 3_600_000;
/** The last one repeats. */
const AFTER_FAILURE_MS = [1, 5, 15, 60, 360].map((minutes) => minutes * 60_000);
const PAUSE_MS = 1000;

export function createTemplateSync(options: {
  db: Database;
  directory: Pick<Directory, "findTenant">;
  listTemplates: ListTemplates;
  pauseMs?: number;
}): TemplateSync {
  const { db, directory, listTemplates, pauseMs = PAUSE_MS } = options;
  const stopping = new AbortController();
  const stopped = new Promise<undefined>((resolve) => {
    stopping.signal.addEventListener("abort", () => resolve(undefined));
  });
  let running: Promise<void> | undefined;

  async function syncOne(due: Due): Promise<void> {
    const tenant = await directory.findTenant(due.tenant_id);
    const numbers = tenant?.numbers.filter((number) => number.wabaId === due.waba_id) ?? [];
    const number = numbers.find(({ state }) => state === "running");
    if (numbers.length === 0) {
      await forgetWaba(db, due);
    } else if (number === undefined) {
      await noteFailure(db, due, "No number of this WABA is running.");
    } else {
      const listed = await Promise.race([listTemplates(number), stopped]);
      if (listed?.kind === "ok") {
        await storeTemplates(db, due, { templates: listed.templates, againInMs: EVERY_MS });
      } else if (listed?.kind === "failed") {
        await noteFailure(db, due, listed.reason);
      }
    }
  }

  async function syncAll(): Promise<void> {
    await alone(db, "template_sync", async () => {
      for (;;) {
        const due = stopping.signal.aborted ? undefined : await findDue(db);
        if (due === undefined) {
          return;
        }
        await syncOne(due);
        await pause(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
      }
    });
  }

  return {
    async syncDue() {
      running ??= syncAll().finally(() => (running = undefined));
      await running;
    },
    async stop() {
      stopping.abort();
      // What went wrong was told to whoever began it.
      await running?.catch(() => {});
    },
  };
}

/** Whether a WABA's templates are due; for a look once a second. */
export const SOMETHING_TO_SYNC = sql<boolean>`
  select exists (select from template_sync where next_at <= now())`;

/** `failed_count` failures in a row so far; `started_at` by the database's clock. */
type Due = { tenant_id: string; waba_id: string; failed_count: number; started_at: Date };

async function findDue(db: Database): Promise<Due | undefined> {
  return db
    .selectFrom("template_sync")
    .select(["tenant_id", "waba_id", "failed_count", sql<Date>`now()`.as("started_at")])
    .where("next_at", "<=", sql<Date>`now()`)
    .orderBy("next_at")
    .limit(1)
    .executeTakeFirst();
}

const REASON_CHARACTERS_MAX = 500;

async function noteFailure(db: Database, due: Due, reason: string): Promise<void> {
  const delayMs = AFTER_FAILURE_MS[Math.min(due.failed_count, AFTER_FAILURE_MS.length - 1)] ?? 0;
  await db
    .updateTable("template_sync")
    .set({
      failed_count: due.failed_count + 1,
      failure: reason.slice(0, REASON_CHARACTERS_MAX).replaceAll("\0", ""),
      next_at: sql`now() + make_interval(secs => ${delayMs / 1000})`,
    })
    .where("tenant_id", "=", due.tenant_id)
    .where("waba_id", "=", due.waba_id)
    .execute();
}

/** The tenant has no number on it any more. */
async function forgetWaba(db: Database, due: Due): Promise<void> {
  await db.transaction().execute(async (trx) => {
    for (const table of ["template", "template_sync"] as const) {
      await trx
        .deleteFrom(table)
        .where("tenant_id", "=", due.tenant_id)
        .where("waba_id", "=", due.waba_id)
        .execute();
    }
  });
}
