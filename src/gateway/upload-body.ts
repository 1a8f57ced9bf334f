import type { IncomingMessage } from "node:http";
import { Transform } from "node:stream";
import { ApiError } from "../errors.ts";
import { ClientGone, isCutOff, MiB } from "../http/body.ts";

// WhatsApp's largest thing is a document of 100 MiB; the form around it comes on top.
const UPLOAD_BYTES_MAX = 100 * MiB + 64 * 1024;

/** @throws {ApiError} `too_large` when more is announced than an upload may have */
export function refuseLargeUpload(req: IncomingMessage): void {
  if (Number(req.headers["content-length"] ?? 0) > UPLOAD_BYTES_MAX) {
    throw tooLarge();
  }
}

/**
 * The body as it comes. Past the bound, or when its caller leaves, it fails, and with it the call
 * upstream.
 * @throws {ClientGone} when its caller has left already
 */
export function uploadBody(req: IncomingMessage): Transform {
  if (isCutOff(req)) {
    throw new ClientGone();
  }
  let bytes = 0;
  const body = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(bytes > UPLOAD_BYTES_MAX ? tooLarge() : null, chunk);
    },
  });
  // It may fail while nobody reads it: before upstream is connected, or after an early answer.
  // Whoever made it asks for `errored`; unheard, the error would end the process.
  body.on("error", () => {});
  body.on("close", () => {
    // What nobody takes any more is let go, so that its caller gets to read the answer.
    req.unpipe(body);
    req.resume();
  });
  req.on("close", () => {
    if (!req.complete) {
      body.destroy(new ClientGone());
    }
  });
  return req.pipe(body);
}

function tooLarge(): ApiError {
  return new ApiError("too_large", `An upload has at most ${UPLOAD_BYTES_MAX} bytes.`, {
    // What is left of the body is not read, so the connection cannot be used again.
    headers: { connection: "close" },
  });
}
