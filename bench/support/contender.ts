import { cpuMsOfTree, residentMiBOfTree } from "./proc.ts";
import type { RunningProcess } from "./process.ts";
import { type NextRequest, sendsTo, type Target } from "./sends.ts";

/** A process under load, with all that it has started. */
export type Contender = {
  name: string;
  url: string;
  next: NextRequest;
  cpuMs: () => number;
  residentMiB: () => number;
  stop: () => Promise<void>;
};

export function contender(
  name: string,
  { pid, url, stop }: RunningProcess,
  targets: readonly Target[],
): Contender {
  return {
    name,
    url,
    next: sendsTo(new URL(url).host, targets),
    cpuMs: () => cpuMsOfTree(pid),
    residentMiB: () => residentMiBOfTree(pid),
    stop,
  };
}
