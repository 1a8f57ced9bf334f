import { pathFits } from "./path-pattern.ts";

/** What goes wrong with a call, told before the call comes. */
export type Fault = {
  /** Only for this number's calls. */
  phoneNumberId?: string;
  method?: string;
  /** The path without the query; `/messages` when left out; a `*` at its end stands for any rest. */
  path?: string;
  /** How many calls it spoils; 1 when left out. */
  times?: number;
  /** Waited before anything is answered. */
  delayMs?: number;
  /**
   * The call takes effect all the same, and at once: a message is sent though its sender is told
   * late or not at all.
   */
  afterHandling?: boolean;
} & (
  | { kind: "answer"; status: number; headers?: Record<string, string>; body?: unknown }
  | { kind: "delay" }
  | { kind: "reset_before_headers" }
  | { kind: "reset_after_headers" }
  | { kind: "no_answer" }
);

/** The kinds of fault there are. */
export const FAULT_KINDS = [
  "answer",
  "delay",
  "reset_before_headers",
  "reset_after_headers",
  "no_answer",
] as const satisfies readonly Fault["kind"][];

/** What a fault is matched with. */
export type FaultTarget = { phoneNumberId: string | undefined; method: string; path: string };

function matches(fault: Fault, target: FaultTarget): boolean {
  return (
    pathFits(fault.path ?? "/messages", target.path) &&
    (fault.method === undefined || fault.method.toUpperCase() === target.method) &&
    (fault.phoneNumberId === undefined || fault.phoneNumberId === target.phoneNumberId)
  );
}

/** The faults still to happen, oldest first. */
export class FaultScript {
  #waiting: { fault: Fault; timesLeft: number }[] = [];

  get faults(): Fault[] {
    return this.#waiting.map(({ fault, timesLeft }) => ({ ...fault, times: timesLeft }));
  }

  add(fault: Fault): void {
    this.#waiting.push({ fault, timesLeft: fault.times ?? 1 });
  }

  /** The oldest fault that fits the call, used up by one. */
  take(target: FaultTarget): Fault | undefined {
    const found = this.#waiting.find(({ fault }) => matches(fault, target));
    if (found === undefined) {
      return undefined;
    }
    found.timesLeft -= 1;
    this.#waiting = this.#waiting.filter(({ timesLeft }) => timesLeft > 0);
    return found.fault;
  }

  clear(): void {
    this.#waiting = [];
  }
}
