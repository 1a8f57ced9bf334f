import {
  asEnvelope,
  type Change,
  type Entry,
  isObject,
  LISTS_OF_FIELD,
  TYPE_OF_FIELD,
} from "../dialog360/notification.ts";
import { parseKeepingDigits } from "../events/present-event.ts";
import { type Fragment, idOrNull, type Place, word } from "./fragment.ts";

/**
 * A notification's fragments: each message, each status, each other change. Never throws and drops
 * nothing: what is not understood is kept whole as `unknown.*`. A notification that holds one
 * fragment keeps its bytes; others are written again, numbers with the digits they came with.
 */
export function split(body: Buffer): Fragment[] {
  let parsed: unknown;
  try {
    parsed = parseKeepingDigits(body.toString("utf8"));
  } catch {
    return [unknownNotification(body)];
  }
  const envelope = asEnvelope(parsed);
  if (envelope === undefined) {
    return [unknownNotification(body)];
  }
  const drafts = envelope.entry.flatMap((entry) =>
    entry.changes.flatMap((change) => splitChange(entry, change)),
  );
  const alone = drafts.length === 1;
  return drafts.map(({ place, value, ...draft }) => ({
    ...draft,
    body: alone ? body : Buffer.from(rewrap(parsed as object, place, value)),
  }));
}

type Draft = Omit<Fragment, "body"> & { place: Place; value: unknown };

function splitChange(entry: Entry, change: Change): Draft[] {
  const field = word(change.field);
  const value = isObject(change.value) ? change.value : {};
  const lists = LISTS_OF_FIELD.get(field) ?? {};
  const found = Object.keys(lists).filter((name) => isFilledList(value[name]));
  const users = new Set(found.flatMap((name) => (value[name] as unknown[]).flatMap(usersOf)));
  const place: Place = { entry, change, field, value, users };
  const items = found.flatMap((name) =>
    (value[name] as unknown[]).map((item) => itemDraft(place, name, lists[name] ?? "", item)),
  );
  // Another list beside these, other than their frame's, is an event of its own.
  const rest = Object.keys(value).filter((name) => !FRAME.has(name) && !found.includes(name));
  const leftOver = items.length === 0 || rest.some((name) => isFilledList(value[name]));
  return leftOver ? [...items, wholeDraft(place, found)] : items;
}

/** What goes with each message and status; `contacts` only as far as they are its own. */
const FRAME: ReadonlySet<string> = new Set(["messaging_product", "metadata", "contacts"]);

function isFilledList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

function itemDraft(place: Place, list: string, kind: string, item: unknown): Draft {
  const shape = isObject(item) ? item : {};
  const others = new Set(Object.keys(LISTS_OF_FIELD.get(place.field) ?? {}));
  const frame = Object.entries(place.value).filter(
    ([name, member]) =>
      FRAME.has(name) || !(Array.isArray(member) && (others.has(name) || isFilledList(member))),
  );
  const value: Record<string, unknown> = { ...Object.fromEntries(frame), [list]: [item] };
  if (Array.isArray(value["contacts"])) {
    value["contacts"] = contactsOf(item, value["contacts"], place.users);
  }
  return {
    type: itemType(kind, shape),
    ...ownership(place),
    user: userOf(list, shape),
    wamid: kind === "message.status" ? wamidOf(shape) : null,
    identityParts: itemIdentity(place, list, shape) ?? changeIdentity(place, [list, item]),
    place,
    value,
  };
}

function wamidOf({ id }: Record<string, unknown>): string | null {
  // PostgreSQL's text takes no NUL.
  return typeof id === "string" && id !== "" && !id.includes("\0") ? id : null;
}

function itemType(kind: string, item: Record<string, unknown>): string {
  switch (kind) {
    case "message.status":
    case "call.status":
      return `${kind}.${word(item["status"])}`;
    case "call":
      return `call.${word(item["event"])}`;
    default:
      return kind;
  }
}

/** One message's or status's own contacts and nobody's; all where none is its own. */
function contactsOf(
  item: unknown,
  contacts: unknown[],
  everybody: ReadonlySet<unknown>,
): unknown[] {
  const own = new Set(usersOf(item));
  return contacts.some((contact) => names(own, contact))
    ? contacts.filter((contact) => names(own, contact) || !names(everybody, contact))
    : contacts;
}

function names(users: ReadonlySet<unknown>, contact: unknown): boolean {
  return isObject(contact) && (users.has(contact["wa_id"]) || users.has(contact["user_id"]));
}

const USER_MEMBERS = [
  "from",
  "from_user_id",
  "recipient_id",
  "recipient_user_id",
  "to",
  "to_user_id",
];

function usersOf(item: unknown): unknown[] {
  return isObject(item)
    ? USER_MEMBERS.map((name) => item[name]).filter((user) => user !== undefined)
    : [];
}

/** The other side of it: who wrote, who was written to, whose call it is. */
function userOf(list: string, item: Record<string, unknown>): string | null {
  const isOurs = list === "message_echoes" || item["direction"] === "BUSINESS_INITIATED";
  const side = list === "statuses" ? "recipient" : isOurs ? "to" : "from";
  const members =
    side === "recipient" ? ["recipient_id", "recipient_user_id"] : [side, `${side}_user_id`];
  const user = members
    .map((name) => item[name])
    .find((value) => value !== undefined && value !== "");
  return typeof user === "string" || typeof user === "number" ? String(user) : null;
}

/** What makes two of them the same, however they were framed. */
function itemIdentity(
  place: Place,
  list: string,
  item: Record<string, unknown>,
): unknown[] | undefined {
  if (typeof item["id"] !== "string" || item["id"] === "") {
    return undefined;
  }
  switch (list) {
    case "messages":
    case "message_echoes":
      return ["message", item["id"]];
    case "statuses": {
      const recipient = item["recipient_participant_id"] ?? item["recipient_id"];
      return ["status", place.field, item["id"], item["status"], recipient];
    }
    case "calls":
      return ["call", item["id"], item["event"]];
    default:
      return undefined;
  }
}

function wholeDraft(place: Place, found: string[]): Draft {
  const value = isObject(place.change.value)
    ? Object.fromEntries(Object.entries(place.value).filter(([name]) => !found.includes(name)))
    : place.change.value;
  return {
    type: TYPE_OF_FIELD.get(place.field) ?? `unknown.${place.field}`,
    ...ownership(place),
    user: null,
    wamid: null,
    identityParts: changeIdentity(place, value),
    place,
    value,
  };
}

function changeIdentity(place: Place, value: unknown): unknown[] {
  return ["change", place.change.field, place.entry.id, place.entry.time, value];
}

function ownership(place: Place): { phoneNumberId: string | null; wabaId: string | null } {
  const metadata = isObject(place.value["metadata"]) ? place.value["metadata"] : {};
  return {
    phoneNumberId: idOrNull(metadata["phone_number_id"]),
    wabaId: idOrNull(place.entry.id),
  };
}

/** Meta's envelope again, with one entry, one change and one fragment in it. */
function rewrap(envelope: object, place: Place, value: unknown): string {
  const entry = { ...place.entry, changes: [{ ...place.change, value }] };
  return JSON.stringify({ ...envelope, entry: [entry] });
}

function unknownNotification(body: Buffer): Fragment {
  return {
    type: "unknown.notification",
    phoneNumberId: null,
    wabaId: null,
    user: null,
    wamid: null,
    identityParts: ["notification", body.toString("base64")],
    body,
  };
}
