import type { IncomingMessage, ServerResponse } from "node:http";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { Soon } from "../soon.ts";
import { beginRecord, type CallRecord, completeRecord } from "./call-record.ts";
import { type AnswerFailure, createAnswerFailure } from "./failure.ts";

/** One call of the WhatsApp API, as it came. */
export type WhatsAppCall = {
  req: IncomingMessage;
  res: ServerResponse;
  record: CallRecord;
  /** Those of ours that go with whatever is answered; written once, with the answer's own. */
  headers: Record<string, string>;
};

/** Answers a call by itself, and leaves in its record what is to be told of it. */
export type WhatsAppHandler = (call: WhatsAppCall) => Soon<void>;

/**
 * The catch-all of the WhatsApp API. It stands before Koa: its answers are written as upstream gave
 * them, so nothing of Koa's context would be used, and it was a fifth of a forwarded call's CPU
 * (docs/decisions/0008).
 */
export function createWhatsAppListener(options: {
  whatsApp: WhatsAppHandler;
  log: Log;
  metrics: Metrics;
  isPassingTrouble: (error: unknown) => boolean;
}): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const { whatsApp } = options;
  const answerFailure: AnswerFailure = createAnswerFailure({ ...options, whatsApp: true });
  return async (req, res) => {
    const record = beginRecord(req);
    const call = { req, res, record, headers: { "x-request-id": record.requestId } };
    try {
      await whatsApp(call);
    } catch (error) {
      answerFailure(error, call);
    }
    completeRecord(options, record, { method: req.method ?? "", status: res.statusCode });
  };
}
