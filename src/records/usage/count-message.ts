import { NO_COUNTRY, type UsageMark } from "./usage-mark.ts";

/** What has been heard of a message so far, in whatever order, and the day that it is counted under. */
export type UsageMessage = UsageMark & { countedDay: string | null };

/** The place in the counts that a message has; `undefined` while it has none. */
export type UsageBucket = {
  tenantId: string;
  day: string;
  phoneNumberId: string;
  category: string;
  country: string;
  direction: UsageMark["direction"];
  billable: boolean;
};

/**
 * A message is counted once it has arrived, which is when WhatsApp charges for it, on the first day
 * on which it is known to have. Days before `openSince` are frozen: what is counted there stays as it
 * is, and what is heard of later is counted on the first day that is open.
 */
export function countMessage(
  before: UsageMessage | undefined,
  mark: UsageMark,
  openSince: string,
): UsageMessage {
  const counted = before?.countedDay ?? null;
  if (before !== undefined && counted !== null && counted < openSince) {
    return before;
  }
  const day = earlier(before?.day ?? null, mark.day);
  const countedDay = day === null ? null : day >= openSince ? day : (counted ?? openSince);
  const better = (mark.price?.rank ?? 0) > (before?.price?.rank ?? 0);
  return {
    ...mark,
    country: before === undefined || before.country === NO_COUNTRY ? mark.country : before.country,
    day,
    price: better ? mark.price : (before?.price ?? null),
    countedDay,
  };
}

export function bucketOf(message: UsageMessage | undefined): UsageBucket | undefined {
  if (message === undefined || message.countedDay === null) {
    return undefined;
  }
  const { tenantId, phoneNumberId, country, direction, price, countedDay } = message;
  return {
    tenantId,
    day: countedDay,
    phoneNumberId,
    // Meta sends a price with `delivered`; a message without one is still one that arrived.
    category: price?.category ?? "unknown",
    country,
    direction,
    billable: price?.billable ?? false,
  };
}

function earlier(left: string | null, right: string | null): string | null {
  if (left === null || right === null) {
    return left ?? right;
  }
  return left < right ? left : right;
}
