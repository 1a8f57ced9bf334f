import type { Config } from "../config.ts";
import { type Log, logBackgroundFailed } from "../log.ts";
import type { Secret } from "../secret.ts";
import { type ChangeFeed, startChangeFeed } from "./change-feed.ts";
import { type Database, installationId, openDatabase } from "./database.ts";
import { createSignals, type Signals } from "./signals.ts";

/** What every module stands on: PostgreSQL, Redis where there is one, and news of both. */
export type Store = {
  db: Database;
  /** For what claims and settles alone, so that no call keeps a delivery waiting; plans once. */
  deliveries: Database;
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

/** One claims and one settles; the third is for when one of them has broken. */
const DELIVERY_CONNECTIONS = 3;

/** Opens it, over a database that is up to date; the stack closes it. */
export async function openStore(
  { config, databaseUrl, signals: ownSignals, log }: StoreOptions,
  stack: AsyncDisposableStack,
): Promise<Store> {
  const onIdleError = (err: unknown): void => logBackgroundFailed(log, { job: "database", err });
  const { db, close: closeDatabase } = openDatabase({ url: databaseUrl, onIdleError });
  stack.defer(closeDatabase);
  const deliveries = openDatabase({
    url: databaseUrl,
    connectionsMax: DELIVERY_CONNECTIONS,
    planOnce: true,
    onIdleError,
  });
  stack.defer(deliveries.close);

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
  return { db, deliveries: deliveries.db, feed, redis, signals };
}
