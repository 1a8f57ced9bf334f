import { type Selectable, sql } from "kysely";
import { newId } from "../../ids.ts";
import { Secret } from "../../secret.ts";
import { alone } from "../../store/alone.ts";
import type { Database } from "../../store/database.ts";
import type { ErasureTable } from "../../store/schema/erasures.ts";
import type { SealContext, Sealer } from "../../tenancy/sealing.ts";
import { type Erased, eraseUser, isFollowed } from "./erase-user.ts";

export type Erasures = {
  /** @returns what was erased; `undefined` when it takes longer than a call may wait, and goes on */
  erase(
    tenantId: string,
    options: { user: string; among: readonly string[] | null },
  ): Promise<Erased | undefined>;
  /**
   * Once a minute: each erasure is done once more, for what was being sent, attempted or written
   * behind when it was asked for; and one whose process died is done at all.
   */
  workOn(): Promise<void>;
};

const ANSWER_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 100;
// Longer than a send, an attempt and what is written behind may take together.
const AGAIN_AFTER_SECONDS = 60;

function contextOf(row: { id: string; tenant_id: string }): SealContext {
  return { purpose: "erased_user", rowId: row.id, tenantId: row.tenant_id };
}

/** Erasures of users; each is written down, sealed, until it has been done twice. */
export function createErasures(options: {
  db: Database;
  sealer: Sealer;
  onError: (error: unknown) => void;
  answerWithinMs?: number;
}): Erasures {
  const { db, sealer, onError, answerWithinMs = ANSWER_WITHIN_MS } = options;

  async function workOnDue(): Promise<void> {
    const rows = await db
      .selectFrom("erasure")
      .selectAll()
      .where(sql<boolean>`asked_at < now() - make_interval(secs => ${AGAIN_AFTER_SECONDS})`)
      .orderBy("asked_at")
      .execute();
    for (const row of rows) {
      // One that cannot be done keeps no other from being done.
      await workOnOne(row).catch(onError);
    }
  }

  async function workOnOne(row: Selectable<ErasureTable>): Promise<void> {
    const scope = { tenantId: row.tenant_id, among: row.phone_number_ids, until: row.asked_at };
    if (await isFollowed(db, scope)) {
      const user = sealer.open(row.user_sealed, contextOf(row)).reveal();
      await eraseUser(db, { ...scope, user });
      await db.deleteFrom("erasure").where("id", "=", row.id).execute();
    }
  }

  return {
    async erase(tenantId, { user, among }) {
      const key = { id: newId("era"), tenant_id: tenantId };
      const { asked_at: until } = await db
        .insertInto("erasure")
        .values({
          ...key,
          user_sealed: sealer.seal(new Secret(user), contextOf(key)),
          phone_number_ids: among === null ? null : [...among],
        })
        .returning("asked_at")
        .executeTakeFirstOrThrow();
      const scope = { tenantId, among, until };
      const deadlineMs = performance.now() + answerWithinMs;
      while (!(await isFollowed(db, scope))) {
        if (performance.now() > deadlineMs) {
          return undefined;
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      }
      const work = eraseUser(db, { ...scope, user });
      return inTime(work, deadlineMs - performance.now(), onError);
    },
    async workOn() {
      await alone(db, "erasure", workOnDue);
    },
  };
}

/** What work comes to; `undefined` after that time, when it goes on and its failure is told. */
async function inTime<T>(
  work: Promise<T>,
  withinMs: number,
  onError: (error: unknown) => void,
): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      work.catch(onError);
      resolve(undefined);
    }, withinMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
