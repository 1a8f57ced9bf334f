import { describe, expect, it } from "vitest";
import { findOperation } from "../../../src/gateway/find-operation.ts";
import { OPERATIONS } from "../../../src/gateway/operations.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** The segments of a row's path, with an id of the same form for each `{…}`. */
function segmentsOf(path: string): string[] {
  return path
    .split("/")
    .slice(1)
    .map((segment, index) => segment.replaceAll(/\{\w+\}/g, `1555000${index}`));
}

describe("findOperation", () => {
  it.each(OPERATIONS.map((row) => [`${row.method} ${row.path}`, row] as const))(
    "finds %s",
    (_call, row) => {
      const segments = segmentsOf(row.path);
      const found = findOperation(row.method, segments);
      expect(found?.operation).toBe(row);
      expect(found?.upstreamPath).not.toMatch(/[{}*]/);
      expect(found?.upstreamPath.split("/").length).toBe(row.upstreamPath.split("/").length);
    },
  );

  it("tells methods apart", () => {
    const offered = new Set(OPERATIONS.map(({ method, path }) => `${method} ${path}`));
    for (const { path } of OPERATIONS) {
      for (const method of METHODS.filter((name) => !offered.has(`${name} ${path}`))) {
        expect(findOperation(method, segmentsOf(path))?.operation.path).not.toBe(path);
      }
    }
  });

  it.each([
    ["nothing", []],
    ["an empty segment", [""]],
    ["an unknown path", ["no_such_thing"]],
    ["a path in capitals", ["MESSAGES"]],
    ["a path with more behind it", ["messages", "1"]],
    ["a path with an empty end", ["messages", ""]],
    ["a path with an empty start", ["", "messages"]],
    ["dots before a path", ["..", "messages"]],
    ["an encoded path", ["%6Dessages"]],
    ["a path that is none of ours to call", ["register"]],
    ["another that is none", ["subscribed_apps"]],
    ["a very long path", Array.from({ length: 5000 }, () => "messages")],
    ["a prototype's name", ["__proto__"]],
    ["another prototype's name", ["constructor"]],
  ])("finds nothing for %s", (_name, segments) => {
    for (const method of METHODS) {
      expect(findOperation(method, segments)).toBeUndefined();
    }
  });

  it.each([
    ".",
    "..",
    "...",
    "a%2Fb",
    "%2e%2e",
    "%252e",
    "a%00",
    "a%5Cb",
    "%zz",
    "a b",
    "a\0",
    "a?b",
    "a#b",
    "a\\b",
    "é",
    "",
  ])("takes %j for no id", (segment) => {
    for (const method of METHODS) {
      expect(findOperation(method, [segment])).toBeUndefined();
      expect(findOperation(method, ["media", segment])).toBeUndefined();
      expect(findOperation(method, ["groups", segment])).toBeUndefined();
    }
  });

  it.each([
    ["POST", "upload%3AMTphdHRh", "/upload:MTphdHRh"],
    ["GET", "upload%3aMTphdHRh%3d", "/upload:MTphdHRh="],
    ["GET", "calling/permissions/%2B4915112345678", "/calling/permissions/+4915112345678"],
    ["GET", "groups/Y2FwaV%5Fncm91cA%3D%3D", "/groups/Y2FwaV_ncm91cA=="],
  ])("takes an id that is encoded without need for what it is: %s %s", (method, path, upstream) => {
    expect(findOperation(method, path.split("/"))?.upstreamPath).toBe(upstream);
  });

  it.each(["%31234", "1234%2F..", "%zz"])("takes %j for no media id", (segment) => {
    expect(findOperation("GET", [segment])).toBeUndefined();
  });

  it("has each method and path once", () => {
    const shapes = OPERATIONS.map(
      ({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, "*")}`,
    );
    expect(new Set(shapes).size).toBe(shapes.length);
  });
});
