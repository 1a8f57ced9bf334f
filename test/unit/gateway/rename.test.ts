import { describe, expect, it } from "vitest";
import { OPERATIONS } from "../../../src/gateway/operations.ts";
import { renameByContent } from "../../../src/gateway/rename.ts";

function renamed(operationId: string, search: string, body = ""): string {
  const operation = OPERATIONS.find((row) => row.operationId === operationId);
  if (operation === undefined) {
    throw new Error(`there is no ${operationId}`);
  }
  const target = { path: operation.upstreamPath, search };
  const { path, search: left } = renameByContent(operation, target, Buffer.from(body));
  return path + left;
}

describe("a call that 360dialog has elsewhere", () => {
  it.each([
    ["getCallPermissionAsMeta", "?user_wa_id=1555", "", "/calling/permissions/1555"],
    ["getCallPermissionAsMeta", "?a=1&user_wa_id=1&b=%20", "", "/calling/permissions/1?a=1&b=%20"],
    ["getCallPermissionAsMeta", "?user_wa_id=%2B49151", "", "/calling/permissions/+49151"],
    ["getCallPermissionAsMeta", "?user_wa_id=+49151", "", "/calling/permissions/+49151"],
    ["setNumberSettings", "", '{"calling":{"status":"ENABLED"}}', "/calling/settings"],
    ["setNumberSettings", "?x=1", '{"calling":{}}', "/calling/settings?x=1"],
    ["setNumberSettings", "", '{"calling":{},"storage_configuration":{}}', "/settings"],
    ["setNumberSettings", "", '{"storage_configuration":{}}', "/settings"],
    ["setNumberSettings", "", "{}", "/settings"],
    ["setNumberSettings", "", "null", "/settings"],
    ["setNumberSettings", "", "no JSON", "/settings"],
    ["getNumberSettings", "", "", "/settings"],
    ["listMessageTemplates", "?limit=1", "", "/message_templates?limit=1"],
  ])("%s%s %s goes to its path there", (operationId, search, body, expected) => {
    expect(renamed(operationId, search, body)).toBe(expected);
  });

  it.each(["", "?user_wa_id=", "?user_wa_id=..%2Fmessages", "?user_wa_id=a%20b", "?user=1"])(
    "is refused without a user to ask about: %s",
    (search) => {
      expect(() => renamed("getCallPermissionAsMeta", search)).toThrow(/user_wa_id/);
    },
  );
});
