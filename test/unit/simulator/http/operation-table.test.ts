import { describe, expect, it } from "vitest";
import { OperationTable } from "../../../../src/simulator/http/operation-table.ts";
import { ownSuccess } from "../../../../src/simulator/messaging-api/answers/own-answer.ts";

const [lookUp, group, list] = [1, 2, 3].map((body) => () => ownSuccess(body));
const table = new OperationTable([
  ["GET", "/{digits}", lookUp ?? expect.fail()],
  ["GET", "/groups/{id}/participants", group ?? expect.fail()],
  ["GET", "/groups", list ?? expect.fail()],
]);

describe("OperationTable", () => {
  it.each([
    ["/groups", list, []],
    ["/12345", lookUp, ["12345"]],
    ["/groups/Y2F%3D/participants", group, ["Y2F="]],
    ["/groups/%/participants", group, ["%"]],
  ])("finds %s with what stands in it", (path, operation, ids) => {
    expect(table.find("GET", path)).toEqual({ operation, ids });
    expect(table.knows(path)).toBe(true);
  });

  it.each(["/", "/12a", "/groups/", "/groups/a", "/groups//participants", "/12345/"])(
    "does not know %s",
    (path) => {
      expect(table.find("GET", path)).toBeUndefined();
      expect(table.knows(path)).toBe(false);
    },
  );

  it("knows a path of another method, but has no operation for it", () => {
    expect(table.find("POST", "/groups")).toBeUndefined();
    expect(table.knows("/groups")).toBe(true);
  });
});
