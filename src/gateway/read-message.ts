/** What the gateway looks at in the body of a send; 360dialog judges all of it. */
export type ReadMessage = {
  /** The parsed body; `undefined` where it is no JSON object. */
  body: Readonly<Record<string, unknown>> | undefined;
  /** `to` or `recipient` as text. */
  recipient: string | undefined;
  /** Whom the limit to one user counts by: digits of a phone, a BSUID as it is; no group. */
  user: string | undefined;
  type: string | undefined;
  callbackData: string | undefined;
  /** Marks as read or shows typing: no message, so it takes no slot and no guard looks at it. */
  isStatus: boolean;
};

const UNREADABLE: ReadMessage = {
  body: undefined,
  recipient: undefined,
  user: undefined,
  type: undefined,
  callbackData: undefined,
  isStatus: false,
};

// Longer than any user's id: what is longer names nobody, and is not to fill what limits are kept in.
const USER_CHARACTERS_MAX = 200;
const PHONE = /^[\d\s+().-]+$/;

/** Reads as much as can be read, and refuses nothing. */
export function readMessage(bytes: Buffer): ReadMessage {
  const body = parseObject(bytes);
  if (body === undefined) {
    return UNREADABLE;
  }
  const recipient = textOf(body["to"]) ?? textOf(body["recipient"]);
  return {
    body,
    recipient,
    user: body["recipient_type"] === "group" ? undefined : userOf(recipient),
    type: textOf(body["type"]),
    callbackData: textOf(body["biz_opaque_callback_data"]),
    // Nothing else counts: a text may go without a type, and no guard is to be talked round.
    isStatus:
      typeof body["status"] === "string" && body["type"] === undefined && recipient === undefined,
  };
}

function parseObject(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Clients write phone numbers as JSON numbers too. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "number") {
    return String(value);
  }
  return typeof value === "string" && value !== "" ? value : undefined;
}

function userOf(recipient: string | undefined): string | undefined {
  if (recipient === undefined || recipient.length > USER_CHARACTERS_MAX) {
    return undefined;
  }
  return PHONE.test(recipient) ? recipient.replaceAll(/\D/g, "") : recipient;
}
