import type { Database } from "../store/database.ts";
import { createGroupCommit, type GroupCommit } from "./group-commit.ts";
import {
  type NewNotification,
  writeNotifications,
  type WrittenNotification,
} from "./write-notifications.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
// Small notifications of this weight have about 130 KB, which a socket takes at once. What it does not, Node
// writes when it comes round, and with thousands of busy connections that is seconds later.
const BATCH_BYTES_MAX = 2.5 * MiB;
// About what comes in a second at 3,300 a second.
const WAITING_BYTES_MAX = 64 * MiB;
// 360dialog wants 99 of 100 answered within a second: what would wait longer is told so at once.
const WAIT_MAX_MS = 1000;
// While one waits for the disk the other fills the pages: at 3,300/s p50 went from 16 to 5 ms.
const COMMITS_MAX = 2;
const FULL_COMMITS_MAX = 4;
// A commit costs PostgreSQL much, and one more notification in it little (decision 22).
const PACE_MS = 10;
// Besides its bytes, a notification costs about as much as this for its rows.
const ROWS_BYTES = 20 * KiB;

export type CommitNotifications = GroupCommit<NewNotification, WrittenNotification>;

/** The one way of notifications into the database: together, bounded by what they weigh. */
export function createCommitNotifications(db: Database): CommitNotifications {
  return createGroupCommit({
    commit: (notifications) => writeNotifications(db, notifications),
    weigh: ({ bodyBytes }) => bodyBytes + ROWS_BYTES,
    batchMax: BATCH_BYTES_MAX,
    commitsMax: COMMITS_MAX,
    fullCommitsMax: FULL_COMMITS_MAX,
    paceMs: PACE_MS,
    waitingMax: WAITING_BYTES_MAX,
    waitMaxMs: WAIT_MAX_MS,
  });
}
