import { randomHex } from "../ids.ts";
import type { JsonObject } from "../json.ts";
import { FAILURE_REASONS } from "./failing-recipients.ts";
import type { Recipient } from "./outgoing-message.ts";
import { failedEntry, statusEntry, type StatusContext, STATUS_NAMES } from "./status.ts";
import { UserUnknown } from "./writing-user.ts";

export const REPORTED_STATUSES = [...STATUS_NAMES, "failed"] as const;

/** A status of any message, whether the simulator took it or not. */
export type StatusReport = {
  phoneNumberId: string;
  messageId: string;
  status: (typeof REPORTED_STATUSES)[number];
  /** The wa_id of the user that it went to, or else the business-scoped id. */
  to?: string;
  userId?: string;
  /** Why it failed; 131026 when left out. */
  code?: number;
  bizOpaqueCallbackData?: string;
};

function recipientOf({ to, userId }: StatusReport): Recipient {
  if (to !== undefined) {
    return { kind: "phone", input: to, waId: to };
  }
  if (userId === undefined) {
    throw new UserUnknown();
  }
  return { kind: "user", userId };
}

function reasonFor(code: number) {
  const known = FAILURE_REASONS.find((reason) => reason.code === code);
  return known ?? { code, title: `Error ${code}`, details: `Message failed with code ${code}.` };
}

/** One entry of `statuses`. */
export function reportedEntry(report: StatusReport, now: Date): JsonObject {
  const { messageId: wamid, status, code = 131026, bizOpaqueCallbackData } = report;
  const context: StatusContext = {
    wamid,
    conversationId: randomHex(32),
    message: {
      recipient: recipientOf(report),
      type: "text",
      ...(bizOpaqueCallbackData === undefined ? {} : { bizOpaqueCallbackData }),
    },
  };
  return status === "failed"
    ? failedEntry(context, reasonFor(code), now)
    : statusEntry(context, status, now);
}
