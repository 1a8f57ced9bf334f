import { sql } from "kysely";
import { keepWorkingAlone } from "../../store/alone.ts";
import type { Database } from "../../store/database.ts";
import { settle } from "./settle.ts";
import type { StepDeps } from "./steps.ts";
import { workChannel } from "./work-channel.ts";

const LOOK_ANYWAY_MS = 60_000;
/** One that waits for 360dialog does not keep the others. */
const AT_ONCE = 8;

/** Whether a channel is to be looked at; for a look once a second. */
export const SOMETHING_TO_ONBOARD = sql<boolean>`
  select exists (select from onboarding_channel where next_try_at <= now())`;

/** Goes on with the channels that are due. */
export function startOnboarding(
  deps: StepDeps & { onError: (error: unknown) => void },
): ReturnType<typeof keepWorkingAlone> {
  const { db, onError } = deps;

  async function workOne(channelId: string): Promise<void> {
    try {
      const worked = await workChannel(deps, channelId);
      if (worked === undefined) {
        return;
      }
      if (worked.onUnexpected !== undefined) {
        onError(worked.onUnexpected);
      }
      await settle(db, worked);
    } catch (error) {
      onError(error);
    }
  }

  async function workAll(signal: AbortSignal): Promise<void> {
    // Each at most once a look: one that could not be written down would else be tried without end.
    const done: string[] = [];
    for (let due = await findDue(db, done); due.length > 0; due = await findDue(db, done)) {
      await Promise.all(due.map(workOne));
      done.push(...due);
      if (signal.aborted) {
        return;
      }
    }
  }

  return keepWorkingAlone({
    db,
    onError,
    lock: "onboarding",
    lookAnywayMs: LOOK_ANYWAY_MS,
    async step(signal) {
      await workAll(signal);
      return undefined;
    },
  });
}

async function findDue(db: Database, except: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom("onboarding_channel")
    .select("channel_id")
    .where("next_try_at", "<=", sql<Date>`now()`)
    .where("channel_id", "not in", [...except, ""])
    .orderBy("next_try_at")
    .limit(AT_ONCE)
    .execute();
  return rows.map((row) => row.channel_id);
}
