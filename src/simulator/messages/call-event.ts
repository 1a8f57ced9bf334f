import { newCallId } from "../ids.ts";
import type { JsonObject } from "../json.ts";
import type { PhoneNumber } from "../numbers/phone-number.ts";
import { unixSeconds } from "./unix-seconds.ts";
import { contactOf, senderFields, userIdOf, type WritingUser } from "./writing-user.ts";

export const CALL_EVENTS = ["connect", "terminate"] as const;

/** A user calls the number, or the call ends. */
export type CallEvent = WritingUser & {
  phoneNumberId: string;
  event: (typeof CALL_EVENTS)[number];
  /** The id of the call that ends; made up when left out. */
  callId?: string;
};

/** The fields of a `calls` change for one event. */
export function callFields(
  { displayPhoneNumber }: PhoneNumber,
  { event, callId = newCallId(), ...user }: CallEvent,
  now: Date,
): { callId: string; fields: JsonObject } {
  userIdOf(user);
  const timestamp = unixSeconds(now);
  const call = {
    id: callId,
    ...senderFields(user),
    to: displayPhoneNumber.replaceAll(/\D/g, ""),
    event,
    timestamp,
    direction: "USER_INITIATED",
    ...(event === "connect"
      ? { session: { sdp_type: "offer", sdp: "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\n" } }
      : { status: "COMPLETED", start_time: timestamp, end_time: timestamp, duration: 30 }),
  };
  return { callId, fields: { contacts: [contactOf(user)], calls: [call] } };
}
