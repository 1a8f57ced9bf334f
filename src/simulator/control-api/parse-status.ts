import type { JsonObject } from "../json.ts";
import { REPORTED_STATUSES, type StatusReport } from "../messages/status-report.ts";
import {
  allowOnly,
  optionalInteger,
  optionalText,
  present,
  requiredOneOf,
  requiredText,
} from "./input.ts";

/** A status as it is written over HTTP. */
export function parseStatus(phoneNumberId: string, fields: JsonObject): StatusReport {
  allowOnly(fields, ["message_id", "status", "to", "user_id", "code", "biz_opaque_callback_data"]);
  return {
    phoneNumberId,
    messageId: requiredText(fields, "message_id"),
    status: requiredOneOf(fields, "status", REPORTED_STATUSES),
    ...present({
      to: optionalText(fields, "to"),
      userId: optionalText(fields, "user_id"),
      code: optionalInteger(fields, "code", 0),
      bizOpaqueCallbackData: optionalText(fields, "biz_opaque_callback_data"),
    }),
  };
}
