import { pruneXidMarks } from "../events/xid-marks.ts";
import { type Log, logPartitionsDropped } from "../log.ts";
import type { Database } from "../store/database.ts";
import { dropOldPartitions } from "../store/retention.ts";
import { exhaustOldDeliveries, hasLiveDeliveries } from "./exhaust-old.ts";
import { releaseStragglers } from "./stragglers.ts";

/**
 * Lets go of what came before then: what still waits of it ends first, then its days are dropped whole,
 * but for days of events that something live needs. Called once an hour.
 */
export async function dropOld(
  { db, log }: { db: Database; log: Log },
  options: { before: Date },
): Promise<void> {
  await exhaustOldDeliveries(db, options);
  await releaseStragglers(db);
  await pruneXidMarks(db, options);
  const names = await dropOldPartitions(db, {
    ...options,
    isNeeded: async (day) => day.parent === "event" && hasLiveDeliveries(db, day),
  });
  if (names.length > 0) {
    logPartitionsDropped(log, { names });
  }
}
