import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runAs } from "./embedded-postgres-account.ts";
import type { Binaries } from "./embedded-postgres-binaries.ts";
import type { Home } from "./embedded-postgres-home.ts";
import { isAlive, servesCluster, waitUntil } from "./embedded-postgres-process.ts";

/** A running server of one cluster, as its `postmaster.pid` describes it. */
export type Postmaster = { pid: number; socketPath: string; port: number; isReady: boolean };

/** A server that this process has started; `logOffset` is where its part of the log begins. */
export type Launch = { child: ChildProcess; logOffset: number };

/** Only names the socket's file, since nothing listens on TCP. */
const PORT = 5432;
const END_BOUND_MS = 20_000;

/**
 * The server of this cluster, whoever started it. A left-over `postmaster.pid` is PostgreSQL's own
 * to remove, but for one whose number some other program has by now: `stalePid`.
 */
export async function findPostmaster(
  clusterPath: string,
): Promise<{ postmaster?: Postmaster; stalePid?: number }> {
  const text = await readFile(join(clusterPath, "postmaster.pid"), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  if (!(pid > 0) || !(await isAlive(pid))) {
    return {};
  }
  if (!(await servesCluster(pid, clusterPath))) {
    return { stalePid: pid };
  }
  // Lines 4, 5 and 8: port, socket directory, status ("starting", "ready", "stopping").
  const socketPath = lines[4] ?? "";
  const isReady = socketPath !== "" && (lines[7] ?? "").startsWith("ready");
  return { postmaster: { pid, port: Number(lines[3]), socketPath, isReady } };
}

/** Starts a server and does not wait for it. */
export async function launchPostmaster(options: {
  binaries: Binaries;
  home: Home;
  socketPath: string;
  stalePid: number | undefined;
}): Promise<Launch> {
  const { binaries, home, socketPath, stalePid } = options;
  const settings = {
    listen_addresses: "",
    port: String(PORT),
    unix_socket_directories: `"${socketPath.replaceAll('"', '""')}"`,
    unix_socket_permissions: "0700",
    // What was answered with 200 has to survive a power cut.
    fsync: "on",
  };
  const { env, ...rest } = runAs(home.account);
  // Opened by us, because the account may not get to where the log lies.
  const logFile = await open(home.logPath, "a", 0o600);
  try {
    const logOffset = (await logFile.stat()).size;
    const child = spawn(
      binaries.postgres,
      [
        "-D",
        home.clusterPath,
        ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
      ],
      {
        ...rest,
        // PostgreSQL refuses to start while any process has the number in a left-over
        // `postmaster.pid`, except this one. It still makes sure that no server uses the memory
        // that the file names, so that even a wrong guess of ours could not harm the data.
        env: stalePid === undefined ? env : { ...env, PG_GRANDPARENT_PID: String(stalePid) },
        // A group of its own: Ctrl-C at the terminal is for us alone, and we stop it when done.
        detached: true,
        stdio: ["ignore", logFile.fd, logFile.fd],
      },
    );
    await once(child, "spawn");
    child.unref();
    return { child, logOffset };
  } catch (cause) {
    throw new Error(`cannot run ${binaries.postgres}: ${String(cause)}`, { cause });
  } finally {
    await logFile.close();
  }
}

/** Waits for a server that is going away by itself; `false` when it did not. */
export async function waitForEnd(pid: number): Promise<boolean> {
  return await waitUntil(async () => !(await isAlive(pid)), END_BOUND_MS);
}

/** Ends the server of this cluster: clients are cut off, everything committed is kept. */
export async function stopPostmaster(clusterPath: string): Promise<void> {
  const { postmaster } = await findPostmaster(clusterPath);
  if (postmaster === undefined) {
    return;
  }
  const { pid } = postmaster;
  sendSignal(pid, "SIGINT");
  if (await waitForEnd(pid)) {
    return;
  }
  // "Immediate": without a last checkpoint; the next start replays the log instead.
  sendSignal(pid, "SIGQUIT");
  if (!(await waitForEnd(pid))) {
    throw new Error(`PostgreSQL (pid ${pid}) of ${clusterPath} does not end`);
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // ESRCH: it has ended by itself, which is what we want.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) {
      throw error;
    }
  }
}

/** The end of what the server wrote since it was started, on one line. */
export async function readLogTail(home: Home, offset: number): Promise<string> {
  const log = await readFile(home.logPath).catch(() => Buffer.alloc(0));
  const lines = log.subarray(offset).toString("utf8").trim().split("\n");
  return lines.slice(-5).join(" | ");
}
