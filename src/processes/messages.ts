import type { MetricsSnapshot } from "../metrics.ts";
import type { Topic } from "../store/signals.ts";

/** From the first process to another; `serve` brings the port. */
export type ToOther =
  | { kind: "serve" }
  | { kind: "stop" }
  | { kind: "hint"; topic: Topic }
  | { kind: "measure"; id: number };

/** `ready`: everything is open, the port may come. */
export type ToFirst =
  | { kind: "ready" }
  | { kind: "serving" }
  | { kind: "hint"; topic: Topic }
  | { kind: "measured"; id: number; snapshot: MetricsSnapshot };
