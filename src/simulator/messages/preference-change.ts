import type { JsonObject } from "../json.ts";
import { unixSeconds } from "./unix-seconds.ts";
import { contactOf, userIdOf, type WritingUser } from "./writing-user.ts";

export const PREFERENCES = ["stop", "resume"] as const;

/** A user wants no more marketing messages of the number, or wants them again. */
export type PreferenceChange = WritingUser & {
  phoneNumberId: string;
  value: (typeof PREFERENCES)[number];
};

/** The fields of a `user_preferences` change. */
export function preferenceFields({ value, ...user }: PreferenceChange, now: Date): JsonObject {
  userIdOf(user);
  const { from, userId } = user;
  const preference = {
    ...(from === undefined ? {} : { wa_id: from }),
    ...(userId === undefined ? {} : { user_id: userId }),
    detail: `User requested to ${value} marketing messages`,
    category: "marketing_messages",
    value,
    timestamp: Number(unixSeconds(now)),
  };
  return { contacts: [contactOf(user)], user_preferences: [preference] };
}
