import type { IncomingMessage } from "node:http";
import { newId } from "../ids.ts";
import { type Log, logRequestCompleted } from "../log.ts";
import { countCall, type Metrics } from "../metrics.ts";
import type { Caller } from "./caller.ts";

/** What becomes known of a call on its way, for its log line and its error. */
export type CallRecord = {
  requestId: string;
  startedMs: number;
  /** An operationId; never the URL: a path may hold a hook's token, a query a tenant's. */
  operation: string;
  caller: Caller | undefined;
  phoneNumberId: string | undefined;
  messageId: string | undefined;
  /** The code of the error that it was answered with, if it was. */
  code: string | undefined;
};

const SANE_ID = /^[\w.:-]{1,128}$/;

/** A call's record at its beginning; its id is the caller's own where that is sane. */
export function beginRecord(req: Pick<IncomingMessage, "headers">): CallRecord {
  const given = req.headers["x-request-id"];
  return {
    requestId: typeof given === "string" && SANE_ID.test(given) ? given : newId("req"),
    startedMs: performance.now(),
    operation: "none",
    caller: undefined,
    phoneNumberId: undefined,
    messageId: undefined,
    code: undefined,
  };
}

/** A call that has been answered has its one line in the log, and its place in the figures. */
export function completeRecord(
  { log, metrics }: { log: Log; metrics: Metrics },
  record: CallRecord,
  answered: { method: string; status: number },
): void {
  const { requestId, operation, caller, phoneNumberId, messageId, code } = record;
  const { method, status } = answered;
  const durationMs = performance.now() - record.startedMs;
  countCall(metrics, { operation, status, code, durationMs });
  logRequestCompleted(log, {
    requestId,
    method,
    operation,
    status,
    durationMs: Math.round(durationMs * 10) / 10,
    tenantId: caller?.kind === "tenant" ? caller.tenantId : undefined,
    clientId: caller?.clientId,
    phoneNumberId,
    messageId,
    code,
  });
}
