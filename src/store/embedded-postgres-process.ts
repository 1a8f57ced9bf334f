import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const POLL_MS = 20;

/** Whether a process of this id runs; one that ended and that nobody has waited for does not. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  // Where the first process of a container does not collect orphans, they stay as zombies.
  const status = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  return !/\) [ZX] /.test(status);
}

/**
 * Whether this process serves this cluster: the number in an old `postmaster.pid` may by now belong
 * to any other program.
 */
export async function servesCluster(pid: number, clusterPath: string): Promise<boolean> {
  if (process.platform === "linux") {
    // A postmaster works in its data directory; comparing inodes also sees through a renamed parent.
    const [cwd, cluster] = await Promise.all([
      stat(`/proc/${pid}/cwd`).catch(() => undefined),
      stat(clusterPath).catch(() => undefined),
    ]);
    return cwd !== undefined && cwd.ino === cluster?.ino && cwd.dev === cluster.dev;
  }
  const found = await run("ps", ["-ww", "-o", "command=", "-p", String(pid)]).catch(
    () => undefined,
  );
  return found?.stdout.includes(clusterPath) ?? false;
}

/** Asks again and again until it is true; `false` when it was not within the bound. */
export async function waitUntil(
  condition: () => Promise<boolean>,
  boundMs: number,
): Promise<boolean> {
  const endMs = performance.now() + boundMs;
  while (!(await condition())) {
    if (performance.now() > endMs) {
      return false;
    }
    await delay(POLL_MS);
  }
  return true;
}
