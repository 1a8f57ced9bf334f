import { readdirSync, readFileSync } from "node:fs";

const CLOCK_TICK_MS = 10;

/**
 * User and system time of a process and all that it has started, threads and ended children
 * included: the kernel's own account (proc(5), fields 14 to 17 of `stat`).
 */
export function cpuMsOfTree(pid: number): number {
  const ticks = treeOf(pid)
    .flatMap((member) => statOf(member)?.slice(11, 15) ?? [])
    .reduce((sum, field) => sum + Number(field), 0);
  return ticks * CLOCK_TICK_MS;
}

/** Resident memory of a process and all that it has started. */
export function residentMiBOfTree(pid: number): number {
  const kib = treeOf(pid).map((member) => {
    const status = readOrNothing(`/proc/${member}/status`);
    return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1] ?? 0);
  });
  return kib.reduce((sum, value) => sum + value, 0) / 1024;
}

function treeOf(root: number): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const parent = /^\d+$/.test(name) ? Number(statOf(Number(name))?.[1]) : Number.NaN;
    if (!Number.isNaN(parent)) {
      childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), Number(name)]);
    }
  }
  const members = [root];
  for (const member of members) {
    members.push(...(childrenOf.get(member) ?? []));
  }
  return members;
}

/** The fields after the command, which may hold anything; `undefined` for one that has ended. */
function statOf(pid: number): string[] | undefined {
  const stat = readOrNothing(`/proc/${pid}/stat`);
  return stat === "" ? undefined : stat.replace(/^.*\) /s, "").split(" ");
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
