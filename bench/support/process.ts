import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { pinned } from "./pin.ts";

export type RunningProcess = { pid: number; url: string; stop: () => Promise<void> };

/** A process that says where it listens; what it logs goes to /dev/null. */
export async function startProcess(
  args: string[],
  options: { env?: Record<string, string>; core?: number | undefined } = {},
): Promise<RunningProcess> {
  const [command, ...rest] = pinned([process.execPath, ...args], options.core);
  const child = spawn(command, rest, {
    env: { PATH: process.env["PATH"] ?? "", ...options.env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const url = await listeningUrl(child, args);
  return {
    pid: child.pid ?? 0,
    url,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, "exit");
        child.kill("SIGTERM");
        await ended;
      }
    },
  };
}

function listeningUrl(child: ChildProcess, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new Error(`${args.join(" ")} ended with ${code} and never listened`)),
    );
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
