import type { MetricsSnapshot } from "../metrics.ts";
import type { Topic } from "../store/signals.ts";

/** One of `Signals`, on its way. */
export type Hint = { kind: "hint"; topic: Topic; tenantIds: string[] };

/** From the first process to another; `serve` brings the port. */
export type ToOther = { kind: "serve" } | { kind: "stop" } | Hint | { kind: "measure"; id: number };

/** `ready`: everything is open, the port may come. */
export type ToFirst =
  | { kind: "ready" }
  | { kind: "serving" }
  | Hint
  | { kind: "measured"; id: number; snapshot: MetricsSnapshot };
