import { ApiError } from "../errors.ts";
import type { Operation } from "./operations.ts";

/** Where a call goes, and with what query. */
export type UpstreamTarget = { path: string; search: string };

/**
 * 360dialog's renamings that depend on more than the path: Meta's `?user_wa_id=` stands in its path,
 * and settings that hold nothing but `calling` have a path of their own.
 * @throws {ApiError} `invalid_parameter` without a user to ask about
 */
export function renameByContent(
  operation: Operation,
  target: UpstreamTarget,
  body: Buffer,
): UpstreamTarget {
  switch (operation.operationId) {
    case "getCallPermissionAsMeta":
      return callPermission(target);
    case "setNumberSettings":
      return holdsOnlyCalling(body) ? { ...target, path: "/calling/settings" } : target;
    default:
      return target;
  }
}

const NAMES_USER = /^(user_wa_id|recipient)=/;
const USER = /^\+?[\w.-]{1,256}$/;

function callPermission({ path, search }: UpstreamTarget): UpstreamTarget {
  const parts = search.slice(1).split("&");
  const named = parts.find((part) => NAMES_USER.test(part)) ?? "";
  // In a query an unencoded `+` is a blank, but nobody's number begins with one.
  const [given = ""] = new URLSearchParams(named).values();
  const user = given.replace(/^ /, "+");
  if (!USER.test(user)) {
    throw new ApiError("invalid_parameter", "Name the user in ?user_wa_id=.");
  }
  const rest = parts.filter((part) => part !== "" && !NAMES_USER.test(part)).join("&");
  return { path: `${path}/${user}`, search: rest === "" ? "" : `?${rest}` };
}

function holdsOnlyCalling(body: Buffer): boolean {
  try {
    const settings: unknown = JSON.parse(body.toString("utf8"));
    const names = Object.keys(settings ?? {});
    return names.length === 1 && names[0] === "calling";
  } catch {
    // 360dialog judges it.
    return false;
  }
}
