import { dayOf } from "./usage-mark.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/**
 * For how long after its end a day can still change: as long as a repeat of a notification is known
 * for one, and longer than 360dialog retries.
 */
const OPEN_DAYS = 7;

/** The first day that is still written. */
export function openSince(now: Date): string {
  return dayOf(new Date(now.getTime() - OPEN_DAYS * DAY_MS));
}

/** Whether a day's counts are final: an hour later, when nothing that began before is under way. */
export function isFrozen(day: string, now: Date): boolean {
  return day < openSince(new Date(now.getTime() - HOUR_MS));
}
