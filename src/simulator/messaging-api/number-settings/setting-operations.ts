import { isObject, type JsonObject } from "../../json.ts";
import { PerOwner } from "../../per-owner.ts";
import { MetaRefusal, parameterInvalid } from "../answers/meta-errors.ts";
import { proxied } from "../answers/proxied-answer.ts";
import type { OperationRow } from "../operation.ts";
import { parameters } from "../parameters.ts";
import { NUMBER_SETTINGS, type NumberSetting } from "./settings.ts";

const ALWAYS_SHOWN = new Set(["messaging_product", "id"]);

/** The members that `?fields=` asks for; all when it does not ask. */
function chosen(members: JsonObject, fields: string | null): JsonObject {
  const names = new Set(fields?.split(",").map((name) => name.trim()));
  return fields === null
    ? members
    : Object.fromEntries(
        Object.entries(members).filter(([name]) => ALWAYS_SHOWN.has(name) || names.has(name)),
      );
}

/** What a change says; a photo is given by the handle of an upload and then has a URL. */
function changesIn({ profile_picture_handle: handle, ...rest }: JsonObject): JsonObject {
  return typeof handle === "string"
    ? { ...rest, profile_picture_url: `https://pps.whatsapp.net/v/${encodeURIComponent(handle)}` }
    : rest;
}

/** An object within the setting is changed member by member as well. */
function merged(members: JsonObject, changes: JsonObject): JsonObject {
  return Object.entries(changes).reduce((result, [name, value]) => {
    const before = result[name];
    return {
      ...result,
      [name]: isObject(before) && isObject(value) ? { ...before, ...value } : value,
    };
  }, members);
}

function rowsOf(setting: NumberSetting, kept: PerOwner<Map<string, JsonObject>>): OperationRow[] {
  const { path, name, initially, present } = setting;
  const membersOf = (phoneNumberId: string) => kept.of(phoneNumberId).get(name) ?? initially;
  return [
    [
      "GET",
      path,
      proxied(({ phoneNumber, query }) =>
        present(chosen(membersOf(phoneNumber.phoneNumberId), query.get("fields")), phoneNumber),
      ),
    ],
    [
      "POST",
      path,
      proxied((call) => {
        const { phoneNumberId } = call.phoneNumber;
        const changes = changesIn(parameters(call));
        if (Object.keys(changes).length === 0) {
          throw new MetaRefusal(parameterInvalid("There is nothing to change."));
        }
        kept.of(phoneNumberId).set(name, merged(membersOf(phoneNumberId), changes));
        return { success: true };
      }),
    ],
  ];
}

/** Every setting of the table, kept for each number. */
export function numberSettingOperations(): OperationRow[] {
  const kept = new PerOwner(() => new Map<string, JsonObject>());
  return NUMBER_SETTINGS.flatMap((setting) => rowsOf(setting, kept));
}
