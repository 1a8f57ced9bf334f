import { type DestinationStream, type Logger, pino } from "pino";
import { PinoPretty } from "pino-pretty";
import { bufferedStandardError } from "./standard-error.ts";

export type Log = Logger;

/** Never a header, a body or a token: each line lists its fields (see the functions below). */
export function createLog(options: {
  level: string;
  format: "json" | "pretty";
  destination?: DestinationStream;
}): Log {
  const destination =
    options.destination ??
    (options.format === "pretty"
      ? PinoPretty({ ignore: "pid,hostname", sync: true, destination: 2 })
      : bufferedStandardError());
  const { level } = options;
  return pino(
    { level, base: null, timestamp: isoTime(), serializers: { err: presentError } },
    destination,
  );
}

/** Many lines share a millisecond, and writing it out costs as much as the rest of a short line. */
function isoTime(now: () => number = Date.now): () => string {
  let atMs = 0;
  let text = "";
  return () => {
    const nowMs = now();
    if (nowMs !== atMs) {
      atMs = nowMs;
      text = `,"time":"${new Date(nowMs).toISOString()}"`;
    }
    return text;
  };
}

/** Listed fields only: a database error also carries rows' values, in `detail` and elsewhere. */
function presentError(error: unknown): unknown {
  if (!(error instanceof Error)) {
    return String(error);
  }
  return {
    type: error.name,
    message: error.message,
    ...("code" in error && { code: error.code }),
    stack: error.stack,
    ...(error.cause !== undefined && { cause: presentError(error.cause) }),
  };
}

/**
 * A line of level `info` whose fields are plain values: they go into it by one `JSON.stringify`,
 * which takes a third of what pino's own way does. For the lines that each call writes.
 */
function writeInfo(log: Log, fields: Readonly<Record<string, unknown>>, msg: string): void {
  if (log.isLevelEnabled("info")) {
    const inside = log as unknown as Record<symbol, unknown>;
    const time = inside[pino.symbols.timeSym] as () => string;
    const stream = inside[pino.symbols.streamSym] as DestinationStream;
    stream.write(`{"level":30${time()},${JSON.stringify(fields).slice(1, -1)},"msg":"${msg}"}\n`);
  }
}

// One function for each line that a unit of work writes, so that its fields cannot drift.

export function logListening(log: Log, fields: { url: string; role: string }): void {
  log.info(fields, "gateway.listening");
}

/** What is limited in each process by itself, and so, over all of them, that many times. */
export function logLimitsPerProcess(
  log: Log,
  fields: { processes: number; limits: readonly string[] },
): void {
  log.warn(fields, "limits.per_process");
}

export function logProcessServing(log: Log, fields: { pid: number | undefined }): void {
  log.info(fields, "process.serving");
}

export function logProcessReplaced(
  log: Log,
  fields: { pid: number | undefined; ended: number | string | null },
): void {
  log.error(fields, "process.replaced");
}

/** A port that was taken, and not asked for by name, gives way to any other. */
export function logMetricsListening(log: Log, fields: { url: string; wantedPort: number }): void {
  const isElsewhere = new URL(fields.url).port !== String(fields.wantedPort);
  log[isElsewhere ? "warn" : "info"](fields, "metrics.listening");
}

export function logRequestCompleted(
  log: Log,
  fields: {
    requestId: string;
    method: string;
    operation: string;
    status: number;
    durationMs: number;
    tenantId?: string | undefined;
    clientId?: string | undefined;
    phoneNumberId?: string | undefined;
    messageId?: string | undefined;
    code?: string | undefined;
  },
): void {
  writeInfo(log, fields, "request.completed");
}

export function logRequestFailed(log: Log, fields: { requestId: string; err: unknown }): void {
  log.error(fields, "request.failed");
}

export function logNotificationReceived(
  log: Log,
  fields: {
    requestId: string;
    notificationId: string;
    numberId: string;
    phoneNumberId: string;
    bodyBytes: number;
    eventCount: number;
    newEventCount: number;
    withoutOwnerCount: number;
    durationMs: number;
  },
): void {
  // What came over a number's hook but is not that number's needs a person's eyes.
  log[fields.withoutOwnerCount > 0 ? "warn" : "info"](fields, "notification.received");
}

export function logDeliveryAttempted(
  log: Log,
  fields: {
    deliveryId: string;
    eventId: string;
    endpointId: string;
    tenantId: string;
    attemptNumber: number;
    status: number | null;
    outcome: string;
    durationMs: number;
  },
): void {
  writeInfo(log, fields, "delivery.attempted");
}

/** Attempts have held an endpoint, set it going again, or disabled it. */
export function logEndpointChanged(
  log: Log,
  fields: { endpointId: string; tenantId: string; from: string; to: string },
): void {
  log.info(fields, `endpoint.${fields.to}`);
}

export function logSettleUnmatched(log: Log, fields: { deliveryIds: string[] }): void {
  log.warn(fields, "delivery.lease_lost");
}

/** What is written behind found no room: the database is away, or too slow. */
export function logWriteBehindDropped(log: Log, fields: { name: string; count: number }): void {
  log.error(fields, "write_behind.dropped");
}

export function logBackgroundFailed(log: Log, fields: { job: string; err: unknown }): void {
  log.error(fields, "background.failed");
}

/** Days past their retention, with all that was in them. */
export function logPartitionsDropped(log: Log, fields: { names: string[] }): void {
  log.info(fields, "partitions.dropped");
}

/** Deliveries that were owed and are nowhere: what nobody should ever see. */
export function logLedgerDrift(
  log: Log,
  fields: {
    hour: string;
    tenantId: string;
    endpointId: string;
    phoneNumberId: string;
    eventIds: string[];
  },
): void {
  log.error(fields, "ledger.drift");
}
