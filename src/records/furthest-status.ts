/** How far a message has come, the furthest last. A `failed` that something follows was not the end. */
const ORDER = ["sent", "failed", "delivered", "read", "played", "deleted"];

/**
 * The status to show, derived from all that have come, so that it is the same in whatever order and
 * however often they came. Words that we do not know are the lowest, by name among themselves.
 */
export function furthestStatus(statuses: readonly string[]): string | null {
  return statuses.toSorted(compareStatuses).at(-1) ?? null;
}

function compareStatuses(left: string, right: string): number {
  return ORDER.indexOf(left) - ORDER.indexOf(right) || (left < right ? -1 : Number(left > right));
}
