import { isObject } from "../../dialog360/notification.ts";
import type { ApplyEvents } from "../../records/follow-events.ts";
import type { Throttle } from "./throttle.ts";

/**
 * What upstream refuses for a limit it may also accept first, and refuse by a `failed` status: that
 * slows the same limit down. Nothing is written.
 */
export function learnFromStatuses(throttle: Pick<Throttle, "learnFromStatus">): ApplyEvents {
  return async (_trx, events) => {
    for (const { type, phoneNumberId, value } of events) {
      if (type !== "message.status.failed" || phoneNumberId === null || !isObject(value)) {
        continue;
      }
      for (const status of objectsOf(value["statuses"])) {
        const user = status["recipient_id"] ?? status["recipient_user_id"];
        for (const { code } of objectsOf(status["errors"])) {
          throttle.learnFromStatus(
            phoneNumberId,
            typeof user === "string" ? user : undefined,
            Number(code),
          );
        }
      }
    }
  };
}

function objectsOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
