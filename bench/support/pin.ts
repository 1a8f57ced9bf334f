import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

/**
 * Whoever is measured has a core to itself, load and upstream have the other, so that none of them
 * takes time from it. Where there is no `taskset`, or one core, the system decides.
 */
const canPin = availableParallelism() >= 2 && spawnSync("taskset", ["--version"]).status === 0;
/** Counted before anything is pinned: afterwards it would be one. */
export const CORES = availableParallelism();

export const CONTENDERS_CORE = canPin ? 0 : undefined;
export const LOAD_CORE = canPin ? 1 : undefined;

export function pinned(
  command: [string, ...string[]],
  core: number | undefined,
): [string, ...string[]] {
  return core === undefined ? command : ["taskset", "--cpu-list", String(core), ...command];
}

/** This process, which makes the load, and all its threads; `undefined` gives it all cores again. */
export function pinLoad(core: number | undefined): void {
  if (canPin) {
    const cores = core === undefined ? `0-${CORES - 1}` : String(core);
    spawnSync("taskset", ["--all-tasks", "--cpu-list", "--pid", cores, String(process.pid)]);
  }
}
