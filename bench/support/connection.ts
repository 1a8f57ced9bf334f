import { connect, type Socket } from "node:net";

/**
 * A keep-alive HTTP/1.1 connection that knows no more than a benchmark needs: one request at a
 * time, answers with a content length. A real client would cost as much as what it measures.
 */
export class Connection {
  readonly #socket: Socket;
  readonly connected: Promise<void>;
  #received = "";
  #onAnswer: ((status: number) => void) | undefined;

  constructor(url: string, onBroken: (error: Error) => void) {
    const { hostname, port } = new URL(url);
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.connected = new Promise((resolve) => this.#socket.once("connect", resolve));
    this.#socket.on("data", (chunk) => this.#take(chunk));
    this.#socket.on("error", onBroken);
    this.#socket.on("end", () => {
      if (this.#onAnswer !== undefined) {
        onBroken(new Error(`${url} ended a connection in the middle of a call`));
      }
    });
  }

  send(request: string, onAnswer: (status: number) => void): void {
    this.#onAnswer = onAnswer;
    this.#socket.write(request, "latin1");
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received += chunk.toString("latin1");
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd === -1) {
      return;
    }
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#received)?.[1];
    if (length === undefined) {
      throw new Error(`an answer without a length: ${this.#received.slice(0, headEnd)}`);
    }
    if (this.#received.length < headEnd + 4 + Number(length)) {
      return;
    }
    const status = Number(this.#received.slice(9, 12));
    this.#received = "";
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    onAnswer?.(status);
  }
}
