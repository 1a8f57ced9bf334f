import type { IncomingMessage } from "node:http";

// WhatsApp's largest thing is a document of 100 MB; form fields come on top.
const BODY_BYTES_MAX = 110 * 1024 * 1024;

/** A request's body; `complete` is false when the caller went away or sent too much. */
export async function readBody(req: IncomingMessage): Promise<{ body: Buffer; complete: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) {
        req.destroy();
        return { body: Buffer.concat(chunks), complete: false };
      }
    }
  } catch {
    return { body: Buffer.concat(chunks), complete: false };
  }
  return { body: Buffer.concat(chunks), complete: req.complete };
}
