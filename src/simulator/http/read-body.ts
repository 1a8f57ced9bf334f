import type { IncomingMessage } from "node:http";

// WhatsApp's largest thing is a document of 100 MB; form fields come on top.
const BODY_BYTES_MAX = 110 * 1024 * 1024;
const FIRST_BYTES = 16 * 1024;

/**
 * Bytes that come one after the other, each copied on arrival: to join them all at the end would
 * stop everything else for a tenth of a second when a file is large.
 */
class GrowingBuffer {
  #bytes: Buffer;
  #length = 0;

  constructor(expectedBytes: number) {
    this.#bytes = Buffer.allocUnsafe(Math.min(expectedBytes, BODY_BYTES_MAX));
  }

  get length(): number {
    return this.#length;
  }

  add(chunk: Buffer): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    chunk.copy(this.#bytes, this.#length);
    this.#length = needed;
  }

  /** What came; the room that was left over is given back if it is much. */
  end(): Buffer {
    const used = this.#bytes.subarray(0, this.#length);
    return this.#length < this.#bytes.length / 2 ? Buffer.from(used) : used;
  }
}

/** A request's body; `complete` is false when the caller went away or sent too much. */
export async function readBody(req: IncomingMessage): Promise<{ body: Buffer; complete: boolean }> {
  const bytes = new GrowingBuffer(Number(req.headers["content-length"] ?? FIRST_BYTES));
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      bytes.add(chunk);
      if (bytes.length > BODY_BYTES_MAX) {
        req.destroy();
        return { body: bytes.end(), complete: false };
      }
    }
  } catch {
    return { body: bytes.end(), complete: false };
  }
  return { body: bytes.end(), complete: req.complete };
}
