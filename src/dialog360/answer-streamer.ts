import type { IncomingHttpHeaders } from "node:http";
import { finished, type Writable } from "node:stream";
import type { Dispatcher } from "undici";
import { CallHandler } from "./call-handler.ts";
import type { Streamed } from "./exchange.ts";

export type StreamedAnswer = { status: number; headers: IncomingHttpHeaders };

/** Takes the head of an answer, once, and says where its body goes; it is ended or destroyed. */
export type AnswerSink = { head(answer: StreamedAnswer): Writable };

/**
 * Passes an answer on as it comes, no faster than it is taken. When its reader leaves, or takes
 * nothing for `timeoutMs`, the call is ended: a connection to 360dialog is not a reader's to keep.
 */
export class AnswerStreamer extends CallHandler {
  readonly #sink: AnswerSink;
  readonly #timeoutMs: number;
  readonly #resolve: (streamed: Streamed) => void;
  readonly #reject: (error: unknown) => void;
  #body: Writable | undefined;
  #stalled: NodeJS.Timeout | undefined;

  constructor(options: {
    sink: AnswerSink;
    timeoutMs: number;
    resolve: (streamed: Streamed) => void;
    /** For an error of the sink's own. */
    reject: (error: unknown) => void;
  }) {
    super();
    this.#sink = options.sink;
    this.#timeoutMs = options.timeoutMs;
    this.#resolve = options.resolve;
    this.#reject = options.reject;
  }

  protected override onHead(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    let body: Writable;
    try {
      body = this.#sink.head({ status, headers });
    } catch (error) {
      this.#reject(error);
      throw error; // undici ends the call
    }
    this.#body = body;
    body.on("drain", () => {
      clearTimeout(this.#stalled);
      controller.resume();
    });
    finished(body, { readable: false }, (error) => {
      clearTimeout(this.#stalled);
      if (error) {
        controller.abort(error);
        this.#resolve({ kind: "broken_off", cause: error });
      } else {
        this.#resolve({ kind: "streamed" });
      }
    });
  }

  override onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const body = this.#body;
    if (body !== undefined && !body.write(chunk)) {
      controller.pause();
      clearTimeout(this.#stalled);
      this.#stalled = setTimeout(() => {
        body.destroy(new Error("the reader of the answer takes nothing more"));
      }, this.#timeoutMs);
    }
  }

  override onResponseEnd(): void {
    this.#body?.end();
  }

  override fail(cause: Error): void {
    if (this.#body === undefined) {
      this.#resolve(this.withoutAnswer(cause));
    } else {
      this.#body.destroy(cause);
    }
  }
}
