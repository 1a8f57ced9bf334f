import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";

/** Not a byte of the call was written, so it may be tried again. */
export type NotSent = { kind: "not_sent"; cause: Error };

/** It was written, and no whole answer came; for a send the outcome is unknown. */
export type Unanswered = { kind: "unanswered"; timedOut: boolean; cause: Error };

type Controller = Dispatcher.DispatchController;

/**
 * What every call upstream watches: whether writing has begun. undici says so right before the
 * first byte, and writes a call of ours only once: HTTP/1.1 and no pipelining leave it no second
 * time. `dispatch` with a handler costs 0.8 of `request`.
 */
export abstract class CallHandler implements Dispatcher.DispatchHandler {
  #started = false;

  onRequestStart(_controller: Controller): void {
    this.#started = true;
  }

  onResponseStart(controller: Controller, status: number, headers: IncomingHttpHeaders): void {
    // 1xx answers are only announced.
    if (status >= 200) {
      this.onHead(controller, status, headers);
    }
  }

  onResponseError(_controller: Controller, cause: Error): void {
    this.fail(cause);
  }

  protected abstract onHead(
    controller: Controller,
    status: number,
    headers: IncomingHttpHeaders,
  ): void;
  abstract onResponseData(controller: Controller, chunk: Buffer): void;
  abstract onResponseEnd(): void;
  /** No whole answer will come. */
  abstract fail(cause: Error): void;

  protected withoutAnswer(cause: Error): NotSent | Unanswered {
    if (!this.#started) {
      return { kind: "not_sent", cause };
    }
    const code = "code" in cause ? cause.code : undefined;
    const timedOut = code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT";
    return { kind: "unanswered", timedOut, cause };
  }
}
