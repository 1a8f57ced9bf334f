import type { Config } from "../config.ts";
import { type Log, logBackgroundFailed } from "../log.ts";
import type { Secret } from "../secret.ts";
import { type ChangeFeed, startChangeFeed } from "./change-feed.ts";
import { type Database, installationId, type OpenDatabase, openDatabase } from "./database.ts";
import { createSignals, type Signals } from "./signals.ts";

/** What every module stands on: PostgreSQL, Redis where there is one, and news of both. */
export type Store = {
  db: Database;
  /** For what is run all the time, so that no call keeps it waiting; plans once. */
  planned: Pick<OpenDatabase, "db" | "inOneTrip">;
  feed: ChangeFeed;
  redis: { url: Config["REDIS_URL"]; prefix: string };
  signals: Signals;
};

type StoreOptions = {
  config: Pick<Config, "REDIS_URL" | "REDIS_PREFIX">;
  databaseUrl: Secret;
  /** Between the processes of this machine; Redis reaches further. */
  signals: Signals;
  log: Log;
};

/** Two write notifications, one follows them, one claims, one settles; and one for when one has broken. */
const PLANNED_CONNECTIONS = 6;

/** Opens it, over a database that is up to date; the stack closes it. */
export async function openStore(
  { config, databaseUrl, signals: ownSignals, log }: StoreOptions,
  stack: AsyncDisposableStack,
): Promise<Store> {
  const onIdleError = (err: unknown): void => logBackgroundFailed(log, { job: "database", err });
  const { db, close: closeDatabase } = openDatabase({ url: databaseUrl, onIdleError });
  stack.defer(closeDatabase);
  const planned = openDatabase({
    url: databaseUrl,
    connectionsMax: PLANNED_CONNECTIONS,
    planOnce: true,
    onIdleError,
  });
  stack.defer(planned.close);

  const feed = startChangeFeed({ db, onError: onIdleError });
  stack.defer(feed.stop);
  const redis = {
    url: config.REDIS_URL,
    prefix: config.REDIS_PREFIX ?? `waba-gateway:${await installationId(db)}`,
  };
  const signals =
    redis.url === undefined ? ownSignals : createSignals({ url: redis.url, prefix: redis.prefix });
  stack.defer(signals.stop);
  signals.listen("change", () => void feed.read());
  return { db, planned, feed, redis, signals };
}
