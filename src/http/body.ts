import type { IncomingMessage } from "node:http";
import { ApiError, InvalidRequest } from "../errors.ts";

export const MiB = 1024 * 1024;

/**
 * The whole body, chunked or of fixed length.
 * @throws {ApiError} `too_large` as soon as more than `bytesMax` are announced or have come
 */
export function readBody(req: IncomingMessage, options: { bytesMax: number }): Promise<Buffer> {
  const { bytesMax } = options;
  const tooLarge = (): ApiError =>
    new ApiError("too_large", `The body is larger than ${bytesMax} bytes.`, {
      // What is left of the body is not read, so the connection cannot be used again.
      headers: { connection: "close" },
    });
  return new Promise((resolve, reject) => {
    if (Number(req.headers["content-length"] ?? 0) > bytesMax) {
      reject(tooLarge());
      return;
    }
    if (isCutOff(req)) {
      reject(new ClientGone());
      return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    req.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        req.pause();
        req.removeAllListeners("data");
        reject(tooLarge());
        return;
      }
      chunks.push(chunk);
    });
    req.on("end", () =>
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)),
    );
    req.on("close", () => {
      // Every trouble of the connection ends in this; unheard, Node tells of no `error` before it.
      // Also said of a body that came whole; an error made for nothing would cost its stack.
      if (!req.complete) {
        reject(new ClientGone());
      }
    });
  });
}

/** The caller left before the whole body came; `close` may have been told already. */
export function isCutOff(req: IncomingMessage): boolean {
  return req.destroyed && !req.complete;
}

/** The caller hung up; there is nobody to answer. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

/** @throws {ApiError} `invalid_json` */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw new ApiError("invalid_json", `The body is not JSON: ${(error as Error).message}.`);
  }
}

/**
 * A member that the contract knows as a date and time (RFC 3339).
 * @throws {InvalidRequest} for a leap second and the like, which no `Date` can be
 */
export function bodyTime(text: string, pointer: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) {
    const detail = `${pointer} is not a time such as 2026-01-31T12:00:00Z.`;
    throw new InvalidRequest([{ code: "format", pointer, detail }]);
  }
  return time;
}
