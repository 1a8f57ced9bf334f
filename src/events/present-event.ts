import type { EventRow } from "./read-events.ts";

/**
 * An event as tenants see it. `data` is Meta's fragment, unchanged: its numbers keep their digits
 * because each is written again as it stood. What came as no JSON is given as base64.
 */
export function presentEvent(
  row: Pick<EventRow, "id" | "type" | "received_at" | "phone_number_id" | "waba_id" | "body">,
): object {
  return {
    id: row.id,
    type: row.type,
    timestamp: row.received_at.toISOString(),
    phone_number_id: row.phone_number_id,
    waba_id: row.waba_id,
    data: fragmentOf(row.body),
  };
}

/** The `value` of the envelope's one change; the whole body where there is no envelope. */
export function fragmentOf(body: Buffer): unknown {
  let parsed: unknown;
  try {
    parsed = parseKeepingDigits(body.toString("utf8"));
  } catch {
    return { body_base64: body.toString("base64") };
  }
  const envelope = parsed as { entry?: { changes?: { value?: unknown }[] }[] } | null;
  const value = Array.isArray(envelope?.entry) ? envelope.entry[0]?.changes?.[0]?.value : undefined;
  return value ?? parsed;
}

/**
 * `JSON.parse`, but a number whose digits a double would change is kept as raw JSON, which
 * `JSON.stringify` writes again as it stood (ECMAScript: JSON.parse source text access).
 */
export function parseKeepingDigits(text: string): unknown {
  if (!MAY_CHANGE.test(text)) {
    // Most bodies: to be asked of every member costs several times what parsing does.
    return JSON.parse(text);
  }
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    const source = context?.source;
    return typeof value === "number" && source !== undefined && String(value) !== source
      ? rawJSON(source)
      : value;
  });
}

// A number that a double would not write as it stands is -0, has sixteen digits, a fraction or an
// exponent. In a string the same costs time and changes nothing.
const MAY_CHANGE = /(?:^|[:,[\s])-?(?:\d{16}|\d+[.eE]|(?<=-)0)/;

// TypeScript's library does not know JSON.rawJSON yet.
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };
