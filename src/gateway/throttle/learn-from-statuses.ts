import { isObject } from "../../dialog360/notification.ts";
import type { ApplyEvents } from "../../records/follow-events.ts";
import type { Throttle } from "./throttle.ts";

const NEWS_FOR_MS = 60_000;

/**
 * What upstream refuses for a limit it may also accept first, and refuse by a `failed` status: that
 * slows the same limit down. Nothing is written.
 */
export function learnFromStatuses(throttle: Pick<Throttle, "learnFromStatus">): ApplyEvents {
  return async (_trx, events) => {
    // What is read late, after an outage, says nothing of how fast the number sends now.
    const newsSince = new Date(Date.now() - NEWS_FOR_MS);
    for (const { type, phoneNumberId, receivedAt, value } of events) {
      const isNews = type === "message.status.failed" && receivedAt >= newsSince;
      if (!isNews || phoneNumberId === null || !isObject(value)) {
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
