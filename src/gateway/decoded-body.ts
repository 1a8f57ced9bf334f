import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";
import { ApiError } from "../errors.ts";

type Decode = (body: Buffer, options: { maxOutputLength: number }) => Buffer;

/** By RFC 9110, section 8.4.1, and RFC 8878. */
const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ["gzip", gunzipSync],
  ["x-gzip", gunzipSync],
  ["deflate", inflateSync],
  ["br", brotliDecompressSync],
  ["zstd", zstdDecompressSync],
]);

const UNREADABLE = Buffer.alloc(0);

/**
 * A body as it is read here; it goes upstream as it came. What its encoding belies is unreadable, as
 * it is for 360dialog.
 * @throws {ApiError} `too_large`, or `unsupported_media_type` for an encoding that cannot be looked
 * into: guards and limits are not to be talked round by it
 */
export function decodedBody(
  body: Buffer,
  contentEncoding: string | undefined,
  options: { bytesMax: number },
): Buffer {
  const encoding = contentEncoding?.trim().toLowerCase() ?? "";
  if (encoding === "" || encoding === "identity" || body.length === 0) {
    return body;
  }
  const decode = DECODERS.get(encoding);
  if (decode === undefined) {
    const known = [...DECODERS.keys()].join(", ");
    throw new ApiError("unsupported_media_type", `A body may be encoded as ${known}, once.`);
  }
  try {
    return decode(body, { maxOutputLength: options.bytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new ApiError("too_large", `The body is larger than ${options.bytesMax} bytes.`);
    }
    return UNREADABLE;
  }
}
