import { formsOf, parseUser } from "../../records/users.ts";
import { type Json, objectOf } from "../../records/payload.ts";

/** Where in a body a user stands. */
export type Mentions = {
  /** The forms to look for in the database: bytes that may be part of something longer. */
  needles: string[];
  /** Whether one of them stands in this text for itself and not as part of something longer. */
  isIn(text: string): boolean;
  /** The text without them; what was JSON stays JSON. */
  redact(text: string): string;
};

/** The members by which Meta names one user by phone and by BSUID; and who has only one of them. */
const PAIRS = [
  ["wa_id", "user_id"],
  ["from", "from_user_id"],
  ["to", "to_user_id"],
  ["recipient_id", "recipient_user_id"],
  ["recipient_participant_id", "recipient_participant_user_id"],
] as const;

/** All forms of these users' phone numbers, and their BSUIDs. */
export function mentionsOf(users: Iterable<string>): Mentions {
  const needles = [...new Set([...users].flatMap(formsOf))];
  const alternatives = needles.map((needle) => needle.replaceAll(".", "\\.")).join("|");
  const standing = `(?<![A-Za-z0-9])(?:${alternatives})(?![A-Za-z0-9])`;
  const found = new RegExp(standing);
  const unquoted = new RegExp(`(?<=[:,[]\\s*)${standing}(?=\\s*[,\\]}])`, "g");
  const anywhere = new RegExp(standing, "g");
  return {
    needles,
    isIn: (text) => found.test(text),
    redact: (text) => text.replaceAll(unquoted, "null").replaceAll(anywhere, "erased"),
  };
}

/**
 * The users that a notification's value is about, each with all ids that it is told by. Only items of
 * its lists name one; deeper inside (a card of somebody's address) is what somebody says.
 */
export function subjectsOf(value: unknown): string[][] {
  return Object.values(objectOf(value))
    .filter((list) => Array.isArray(list))
    .flat()
    .map(objectOf)
    .flatMap(subjectsOfItem);
}

function subjectsOfItem(item: Json): string[][] {
  return PAIRS.map((names) =>
    names.map((name) => parseUser(item[name])).filter((user) => user !== undefined),
  ).filter((users) => users.length > 0);
}
