import { randomHex } from "../ids.ts";
import type { JsonObject } from "../json.ts";
import type { Timers } from "../timers.ts";
import { findFailureReason } from "./failing-recipients.ts";
import { type OutgoingMessage, recipientId } from "./outgoing-message.ts";
import { failedEntry, statusEntry, type StatusContext, type StatusName } from "./status.ts";

/** Lets an accepted message be sent, delivered and read, or fail, one delay after the other. */
export function playStatuses(input: {
  wamid: string;
  message: OutgoingMessage;
  statuses: readonly StatusName[];
  delayMs: number;
  timers: Timers;
  publish: (entry: JsonObject) => void;
}): void {
  const { wamid, message, statuses, delayMs, timers, publish } = input;
  const context: StatusContext = { wamid, message, conversationId: randomHex(32) };
  const reason = findFailureReason(recipientId(message.recipient));
  if (reason !== undefined) {
    timers.after(delayMs, () => publish(failedEntry(context, reason, new Date())));
    return;
  }
  for (const [index, status] of statuses.entries()) {
    timers.after(delayMs * (index + 1), () => publish(statusEntry(context, status, new Date())));
  }
}
