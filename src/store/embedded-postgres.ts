import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import { type Binaries, findNativePath, prepareBinaries } from "./embedded-postgres-binaries.ts";
import { prepareCluster } from "./embedded-postgres-cluster.ts";
import {
  type Home,
  type Log,
  prepareHome,
  prepareSocketDirectory,
} from "./embedded-postgres-home.ts";
import { databaseUrl, isLastOne, isPassing, openKeeper } from "./embedded-postgres-keeper.ts";
import {
  findPostmaster,
  type Launch,
  launchPostmaster,
  type Postmaster,
  readLogTail,
  stopPostmaster,
  waitForEnd,
} from "./embedded-postgres-postmaster.ts";

/** Generous: after a crash the server first replays its log. */
const START_BOUND_MS = 120_000;
const POLL_MS = 20;

export type EmbeddedPostgres = {
  url: string;
  /**
   * Ends the server, unless another process still uses it. Close the pools of this process first:
   * their connections look like another process's.
   */
  stop: () => Promise<void>;
};

/**
 * A PostgreSQL of our own over `<dataDir>/postgres`, from the binaries in node_modules. A server
 * that already runs there (a second gateway, or one that was killed) is used as it is.
 */
export async function startEmbeddedPostgres(options: {
  dataDir: string;
  log: Log;
}): Promise<EmbeddedPostgres> {
  const { log } = options;
  const startMs = performance.now();
  const nativePath = findNativePath();
  const home = await prepareHome(options);
  const binaries = await prepareBinaries({ nativePath, home, log });
  await prepareCluster({ binaries, home, log });
  const { postmaster, keeper, isOurs } = await reachServer({ binaries, home });
  log(isOurs ? "postgres.started" : "postgres.attached", {
    pid: postmaster.pid,
    path: home.clusterPath,
    durationMs: Math.round(performance.now() - startMs),
  });

  let stopping: Promise<void> | undefined;
  return {
    url: databaseUrl(postmaster),
    stop: () => (stopping ??= leaveServer({ home, keeper, log })),
  };
}

/** Connects to the server of this cluster, and starts one whenever there is none. */
async function reachServer(options: {
  binaries: Binaries;
  home: Home;
}): Promise<{ postmaster: Postmaster; keeper: Client; isOurs: boolean }> {
  const { binaries, home } = options;
  const socketPath = await prepareSocketDirectory(home);
  const endMs = performance.now() + START_BOUND_MS;
  let launch: Launch | undefined;
  let failure: unknown = "it does not get ready";
  try {
    while (performance.now() < endMs) {
      const hasEnded = launch !== undefined && hasExited(launch);
      const { postmaster, stalePid } = await findPostmaster(home.clusterPath);
      if (postmaster?.isReady) {
        try {
          const keeper = await openKeeper(postmaster);
          return { postmaster, keeper, isOurs: postmaster.pid === launch?.child.pid };
        } catch (error) {
          if (!isPassing(error)) {
            throw error;
          }
          failure = error;
        }
      } else if (postmaster === undefined && (launch === undefined || hasEnded)) {
        await refuseToRepeat(launch, home);
        launch = await launchPostmaster({ binaries, home, socketPath, stalePid });
      }
      await delay(POLL_MS);
    }
    throw failure;
  } catch (cause) {
    if (launch !== undefined && !hasExited(launch)) {
      await stopPostmaster(home.clusterPath);
    }
    const tail = await readLogTail(home, launch?.logOffset ?? 0);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`PostgreSQL in ${home.path} did not start: ${reason}; its log ends: ${tail}`, {
      cause,
    });
  }
}

function hasExited({ child }: Launch): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/**
 * A server that ended while starting is tried again only where time helps: it lost against another
 * one that has ended since, or children of a killed one are still about to end.
 */
async function refuseToRepeat(launch: Launch | undefined, home: Home): Promise<void> {
  if (launch === undefined) {
    return;
  }
  const tail = await readLogTail(home, launch.logOffset);
  const isPassingState =
    launch.child.exitCode === 0 || /lock file .* already exists|still in use/.test(tail);
  if (!isPassingState) {
    throw new Error(`it ended with ${launch.child.exitCode ?? launch.child.signalCode}`);
  }
  await delay(POLL_MS * 10);
}

async function leaveServer(options: { home: Home; keeper: Client; log: Log }): Promise<void> {
  const { home, log } = options;
  const { postmaster } = await findPostmaster(home.clusterPath);
  const fields = { path: home.clusterPath, pid: postmaster?.pid };
  const keeper = postmaster && (await getKeeper(options.keeper, postmaster));
  try {
    if (keeper === undefined) {
      log("postgres.stopped", { ...fields, reason: "somebody else ended it" });
    } else if (await isLastOne(keeper)) {
      await stopPostmaster(home.clusterPath);
      log("postgres.stopped", fields);
    } else {
      log("postgres.left_running", { ...fields, reason: "another process uses it" });
    }
  } finally {
    await Promise.allSettled([options.keeper.end(), keeper?.end()]);
  }
}

/** The connection again where it was lost; `undefined` when the server is going away by itself. */
async function getKeeper(keeper: Client, postmaster: Postmaster): Promise<Client | undefined> {
  keeper.ref();
  try {
    await keeper.query("select 1");
    return keeper;
  } catch {
    if (!postmaster.isReady && (await waitForEnd(postmaster.pid))) {
      return undefined;
    }
    // It cuts off every connection when one of its processes crashes.
    const another = await openKeeper(postmaster);
    another.ref();
    return another;
  }
}
