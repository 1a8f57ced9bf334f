import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decodedBody } from "../../../src/gateway/decoded-body.ts";

const TEXT = Buffer.from('{"to":"15550100002"}');
const LIMIT = { bytesMax: 1000 };

describe("a body", () => {
  it.each([
    [undefined, TEXT],
    ["identity", TEXT],
    ["gzip", gzipSync(TEXT)],
    [" GZIP ", gzipSync(TEXT)],
    ["x-gzip", gzipSync(TEXT)],
    ["deflate", deflateSync(TEXT)],
    ["br", brotliCompressSync(TEXT)],
    ["zstd", zstdCompressSync(TEXT)],
  ])("is read in the encoding %s", (encoding, body) => {
    expect(decodedBody(body, encoding, LIMIT)).toEqual(TEXT);
  });

  it("that is not what its encoding says is unreadable", () => {
    expect(decodedBody(TEXT, "gzip", LIMIT)).toEqual(Buffer.alloc(0));
  });

  it("without a byte needs no decoding", () => {
    expect(decodedBody(Buffer.alloc(0), "gzip", LIMIT)).toEqual(Buffer.alloc(0));
  });

  it("that grows beyond the limit is refused", () => {
    const bomb = gzipSync(Buffer.alloc(1_000_000));
    expect(() => decodedBody(bomb, "gzip", LIMIT)).toThrow(
      expect.objectContaining({ code: "too_large" }),
    );
  });

  it.each(["compress", "gzip, gzip", "toString"])("in the encoding %s is refused", (encoding) => {
    expect(() => decodedBody(TEXT, encoding, LIMIT)).toThrow(
      expect.objectContaining({ code: "unsupported_media_type" }),
    );
  });
});
