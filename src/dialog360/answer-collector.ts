import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import { CallHandler } from "./call-handler.ts";
import type { Exchange } from "./exchange.ts";

const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/** Keeps an answer until it is whole. */
export class AnswerCollector extends CallHandler {
  readonly #resolve: (exchange: Exchange) => void;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(resolve: (exchange: Exchange) => void) {
    super();
    this.#resolve = resolve;
  }

  protected override onHead(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    this.#status = status;
    this.#headers = headers;
  }

  override onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > ANSWER_BYTES_MAX) {
      controller.abort(new Error(`the answer is larger than ${ANSWER_BYTES_MAX} bytes`));
    }
  }

  override onResponseEnd(): void {
    const [only] = this.#chunks;
    const body = only && this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks);
    this.#resolve({ kind: "answer", status: this.#status, headers: this.#headers, body });
  }

  override fail(cause: Error): void {
    this.#resolve(this.withoutAnswer(cause));
  }
}
