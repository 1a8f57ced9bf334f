import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export type SpawnedGateway = {
  url: string;
  process: ChildProcess;
  /** What it has written to standard error so far: its log. */
  log: string[];
  kill(signal: NodeJS.Signals): Promise<number | null>;
};

const MAIN = join(import.meta.dirname, "../../src/main.ts");

/** A gateway in a process of its own, to be stopped and killed; waits until it listens. */
export async function spawnGateway(env: Record<string, string>): Promise<SpawnedGateway> {
  const child = spawn(process.execPath, [MAIN, "start"], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  const ended = once(child, "exit");
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const listening = /^listening on (\S+)$/.exec(line)?.[1];
      if (listening !== undefined) {
        resolve(listening);
      }
    });
    child.once("exit", (code) => reject(new Error(`exit ${code}: ${log.join("\n")}`)));
  });
  return {
    url,
    process: child,
    log,
    async kill(signal) {
      child.kill(signal);
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}
