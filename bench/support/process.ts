import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

export type Contender = { url: string; cpuMs: () => number; stop: () => void };

const CLOCK_TICK_MS = 10;

/** A process that says where it listens; its CPU time is the kernel's own account of it. */
export async function startProcess(
  args: string[],
  env: Record<string, string> = {},
): Promise<Contender> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const url = await listeningUrl(child);
  return { url, cpuMs: () => cpuMsOf(child.pid ?? 0), stop: () => void child.kill("SIGTERM") };
}

function listeningUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`it ended with ${code} and never listened`)));
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on("line", (line) => {
        const url = /^listening on (\S+)$/.exec(line)?.[1];
        if (url !== undefined) {
          resolve(url);
        }
      });
    }
  });
}

/** User and system time of a process with all its threads (proc(5), fields 14 and 15). */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS;
}
