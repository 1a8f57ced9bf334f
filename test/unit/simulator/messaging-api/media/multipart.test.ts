import { describe, expect, it } from "vitest";
import { parseMultipart } from "../../../../../src/simulator/messaging-api/media/multipart.ts";

const body = (...lines: string[]) => Buffer.from(lines.join("\r\n"));

function parse(made: Buffer, contentType = "multipart/form-data; boundary=X") {
  return parseMultipart(made, contentType).map((part) => ({ ...part, bytes: String(part.bytes) }));
}

describe("parseMultipart", () => {
  it("reads fields and files with their types, in their order", () => {
    const form = body(
      "--X",
      'Content-Disposition: form-data; name="file"; filename="a.jpg"',
      "Content-Type: image/jpeg",
      "",
      "\r\n--Y\r\n",
      "--X",
      'content-disposition: form-data; name="messaging_product"',
      "",
      "whatsapp",
      "--X--",
      "",
    );
    expect(parse(form)).toEqual([
      { name: "file", filename: "a.jpg", contentType: "image/jpeg", bytes: "\r\n--Y\r\n" },
      { name: "messaging_product", bytes: "whatsapp" },
    ]);
  });

  it("takes a quoted boundary, and names without quotes", () => {
    const form = body(
      "--X y",
      "Content-Disposition: form-data; name=a; filename=b",
      "",
      "c",
      "--X y--",
    );
    expect(parse(form, 'multipart/form-data; charset=utf-8; boundary="X y"')).toEqual([
      { name: "a", filename: "b", bytes: "c" },
    ]);
  });

  it("takes an empty file name and an empty file for what they are", () => {
    const form = body(
      "--X",
      'Content-Disposition: form-data; name="f"; filename=""',
      "",
      "",
      "--X--",
    );
    expect(parse(form)).toEqual([{ name: "f", filename: "", bytes: "" }]);
  });

  it.each([
    ["no boundary", body("--X", "", "a", "--X--"), "multipart/form-data"],
    ["no first boundary", body("a", "b"), undefined],
    ["no end", body("--X", 'Content-Disposition: form-data; name="a"', "", "b"), undefined],
    ["a part without a name", body("--X", "Content-Type: a/b", "", "b", "--X--"), undefined],
  ])("finds nothing where there is %s", (_name, form, contentType) => {
    expect(parse(form, contentType)).toEqual([]);
  });
});
