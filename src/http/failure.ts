import type { ServerResponse } from "node:http";
import { ApiError } from "../errors.ts";
import { type Log, logRequestFailed } from "../log.ts";
import { ClientGone } from "./body.ts";
import type { CallRecord } from "./call-record.ts";
import { renderProblem } from "./problem.ts";

export type AnswerFailure = (
  error: unknown,
  call: { res: ServerResponse; record: CallRecord; headers: Record<string, string> },
) => void;

/** Ends a call that failed: with the problem as its answer, or cut where half an answer is out. */
export function createAnswerFailure(options: {
  log: Log;
  /** Whether a failure is the database's and passes: then 503, and the caller may come again. */
  isPassingTrouble: (error: unknown) => boolean;
  whatsApp: boolean;
}): AnswerFailure {
  const { log, isPassingTrouble, whatsApp } = options;
  return (caught, { res, record, headers: ours }) => {
    if (caught instanceof ClientGone) {
      res.destroy();
      return;
    }
    const error = isPassingTrouble(caught) ? overloaded(caught) : caught;
    const { requestId } = record;
    if (!(error instanceof ApiError) || (error.status >= 500 && error.cause !== undefined)) {
      logRequestFailed(log, { requestId, err: error });
    }
    record.code = error instanceof ApiError ? error.code : "internal_error";
    if (res.headersSent) {
      // Half an answer must not look like a whole one.
      res.destroy();
      return;
    }
    const { status, headers, body } = renderProblem(error, { requestId, whatsApp });
    const bytes = Buffer.from(body);
    res.writeHead(status, { ...ours, ...headers, "content-length": bytes.length });
    res.end(bytes);
  };
}

function overloaded(cause: unknown): ApiError {
  const detail = "The database cannot be asked right now; try again in a moment.";
  return new ApiError("overloaded", detail, { cause, headers: { "retry-after": "1" } });
}
