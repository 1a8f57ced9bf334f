import type { JsonObject } from "../json.ts";

/** A user who does something: known by a phone, by a business-scoped id (BSUID), or by both. */
export type WritingUser = { from?: string; userId?: string; profileName?: string };

/** A user must be known by something. */
export class UserUnknown extends Error {
  constructor() {
    super("either the user's wa_id or the business-scoped id must be given");
  }
}

/** What the user is known by; throws when it is nothing. */
export function userIdOf({ from, userId }: WritingUser): string {
  const id = from ?? userId;
  if (id === undefined) {
    throw new UserUnknown();
  }
  return id;
}

/** The user in `contacts`. */
export function contactOf(user: WritingUser): JsonObject {
  const { from, userId, profileName = `User ${userIdOf(user)}` } = user;
  return {
    profile: { name: profileName },
    ...(from === undefined ? {} : { wa_id: from }),
    ...(userId === undefined ? {} : { user_id: userId }),
  };
}

/** The user as the sender of a message or a call. */
export function senderFields({ from, userId }: WritingUser): JsonObject {
  return {
    ...(from === undefined ? {} : { from }),
    ...(userId === undefined ? {} : { from_user_id: userId }),
  };
}
