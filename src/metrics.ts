import {
  AggregatorRegistry,
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  Registry,
} from "prom-client";

/** A process's figures as they go to the process that shows them. */
export type MetricsSnapshot = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>;

export type Metrics = ReturnType<typeof createMetrics>;

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

// From what is added to a call on loopback to what a client waits for at most.
const BUCKETS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/**
 * What Prometheus is told, in a registry of this gateway's own. No tenant, number or user is a
 * label: they are too many, and none of a monitoring system's business. A figure that is counted
 * costs a quarter of a microsecond, with its labels looked up or not.
 */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  // Memory, CPU, event loop and garbage collection of this process, under their usual names.
  collectDefaultMetrics({ register: registry });
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: `waba_gateway_${name}`, help, labelNames, registers });
  const seconds = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Histogram({
      name: `waba_gateway_${name}`,
      help,
      labelNames,
      buckets: BUCKETS_SECONDS,
      registers,
    });
  return {
    registry,
    calls: counter("calls_total", "Calls answered, by operation, status and our error code.", [
      "operation",
      "status",
      "code",
    ]),
    callDuration: seconds("call_duration_seconds", "From a call's head to the end of its answer.", [
      "operation",
    ]),
    exchanges: counter(
      "upstream_exchanges_total",
      "Calls to 360dialog: answer, not_sent or unanswered.",
      ["kind"],
    ),
    upstreamDuration: seconds("upstream_duration_seconds", "How long 360dialog took to answer."),
    refusedByLimit: counter("refused_by_limit_total", "Calls that a limit of ours refused.", [
      "limit",
    ]),
    notifications: counter("notifications_total", "Notifications from 360dialog, committed."),
    newEvents: counter("new_events_total", "Events in them that had not come before."),
    attempts: counter("attempts_total", "Attempts to deliver, by outcome.", ["outcome"]),
    ledgerDeliveries: new Gauge({
      name: "waba_gateway_ledger_deliveries",
      help: "Events times endpoints in closed hours, by what became of them; missing should be 0.",
      labelNames: ["state"],
      registers,
    }),
    openAlerts: new Gauge({
      name: "waba_gateway_open_alerts",
      help: "Alerts that last, by kind.",
      labelNames: ["kind"],
      registers,
    }),
  };
}

export function takeSnapshot({ registry }: Metrics): Promise<MetricsSnapshot> {
  return registry.getMetricsAsJSON();
}

/** The figures of all processes of one gateway as one text. */
export function renderMetrics(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate([...snapshots]).metrics();
}

// One function for each thing that is counted, so that its labels cannot drift.

export function countCall(
  metrics: Metrics,
  fields: { operation: string; status: number; code?: string | undefined; durationMs: number },
): void {
  const { operation, status, code = "", durationMs } = fields;
  metrics.calls.inc({ operation, status, code });
  metrics.callDuration.observe({ operation }, durationMs / 1000);
}

export function countExchange(
  metrics: Metrics,
  fields: {
    kind: "answer" | "streamed" | "broken_off" | "not_sent" | "unanswered";
    durationMs: number;
  },
): void {
  metrics.exchanges.inc({ kind: fields.kind });
  if (fields.kind === "answer") {
    metrics.upstreamDuration.observe(fields.durationMs / 1000);
  }
}

export function countRefusedByLimit(metrics: Metrics, fields: { limit: string }): void {
  metrics.refusedByLimit.inc({ limit: fields.limit });
}

export function countNotification(metrics: Metrics, fields: { newEventCount: number }): void {
  metrics.notifications.inc();
  metrics.newEvents.inc(fields.newEventCount);
}

export function countAttempt(metrics: Metrics, fields: { outcome: string }): void {
  metrics.attempts.inc({ outcome: fields.outcome });
}

/** By the process that counts; of the others it is nothing. */
export function gaugeLedger(metrics: Metrics, totals: Readonly<Record<string, number>>): void {
  metrics.ledgerDeliveries.reset();
  for (const [state, count] of Object.entries(totals)) {
    metrics.ledgerDeliveries.set({ state }, count);
  }
}

/** By the process that watches; of the others it is nothing. */
export function gaugeAlerts(metrics: Metrics, openByKind: ReadonlyMap<string, number>): void {
  metrics.openAlerts.reset();
  for (const [kind, count] of openByKind) {
    metrics.openAlerts.set({ kind }, count);
  }
}
