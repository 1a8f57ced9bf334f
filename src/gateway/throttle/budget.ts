import { Lease } from "./lease.ts";
import { SlidingWindow, WINDOW_MS } from "./sliding-window.ts";
import { Slowdown } from "./slowdown.ts";

/** `ask`: none is left of the slots that this process holds, but there may be more at Redis. */
export type Room = "free" | "ask" | "full";

/** So many calls of one kind in a second for one number. */
export class Budget {
  /** What Redis knows it by. */
  readonly key: string;
  readonly kind: "number" | "upload";
  readonly window = new SlidingWindow();
  readonly slowdown = new Slowdown();
  readonly lease = new Lease();
  /** Newest question that is under way. */
  asked: Promise<void> = Promise.resolve();
  /** Upstream has taught something that Redis does not know yet. */
  untold = false;
  limit: number;

  constructor(kind: "number" | "upload", options: { key: string; limit: number }) {
    this.kind = kind;
    this.key = options.key;
    this.limit = options.limit;
  }

  limitNow(nowMs: number): number {
    return this.slowdown.slowed(this.limit, nowMs);
  }

  room(nowMs: number, isShared: boolean): Room {
    if (this.slowdown.blockedMs(nowMs) > 0) {
      return "full";
    }
    const limit = this.limitNow(nowMs);
    const used = this.window.used(nowMs);
    if (used < (isShared ? Math.min(limit, this.lease.slots(nowMs)) : limit)) {
      return "free";
    }
    return isShared && this.lease.canGrow(nowMs, { used, limit }) ? "ask" : "full";
  }

  isIdle(nowMs: number): boolean {
    const { slowMs, blockedMs } = this.slowdown.left(nowMs);
    return this.window.used(nowMs) === 0 && this.lease.isIdle(nowMs) && slowMs + blockedMs === 0;
  }

  /** How long until this process has a free slot again; if it holds none, others' must cool first. */
  freeInMs(nowMs: number, isShared: boolean): number {
    const limit = this.limitNow(nowMs);
    const slots = isShared ? Math.min(limit, this.lease.slots(nowMs)) : limit;
    const freeInMs = slots === 0 ? WINDOW_MS : this.window.freeInMs(nowMs, slots);
    return Math.max(this.slowdown.blockedMs(nowMs), freeInMs);
  }
}
