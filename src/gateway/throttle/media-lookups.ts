import { type Refusal, refusalOf } from "./refusal.ts";
import { scriptOf, type Shared } from "./shared.ts";
import { SweptMap } from "./swept-map.ts";
import { TwoGenerations } from "./two-generations.ts";

// 360dialog shuts a number out for half an hour after 20 failures in an hour.
const FAILURES_MAX = 15;
const HARD_MAX = 20;
const FAILURES_OF_ID_MAX = 2;
const HOUR_MS = 3_600_000;
/** Longer than any look-up takes; one whose end nobody told is over by then. */
const UNDERWAY_MS = 60_000;
const FOUND_MAX = 50_000;
const QUOTA = { calls: FAILURES_MAX, seconds: HOUR_MS / 1000 };

type Failure = { mediaId: string; atMs: number; told: boolean };
type Underway = { mediaId: string; atMs: number };
type Lookups = { failures: Failure[]; underway: Underway[]; blockedUntilMs: number };

/** Adds a failure and gives all of the last hour, with their ages; there are never many. */
const failureScript = scriptOf(`
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local packed = redis.call('GET', KEYS[1])
local failures, answers = {}, {}
for _, failure in ipairs(packed and cmsgpack.unpack(packed) or {}) do
  if now - failure[2] < ${HOUR_MS} then
    failures[#failures + 1] = failure
  end
end
failures[#failures + 1] = { ARGV[1], now }
while #failures > ${2 * HARD_MAX} do
  table.remove(failures, 1)
end
redis.call('SET', KEYS[1], cmsgpack.pack(failures), 'PX', ${HOUR_MS})
for i, failure in ipairs(failures) do
  answers[i] = { failure[1], math.floor(now - failure[2]) }
end
return answers
`);

/**
 * Stops look-ups of media before 360dialog stops the number: an id that failed twice, and after 15
 * failures every id that this process has not seen found. A process learns of the failures of
 * others with each of its own, so each may add one to the 15; look-ups under way are counted as if
 * they failed, up to 360dialog's own limit.
 */
export class MediaLookups {
  readonly #found = new TwoGenerations<true>({ lifetimeMs: HOUR_MS, entriesMax: FOUND_MAX });
  readonly #numbers = new SweptMap<Lookups>(
    ({ failures, underway, blockedUntilMs }, nowMs) =>
      nowMs >= blockedUntilMs &&
      failures.every(({ atMs }) => nowMs - atMs >= HOUR_MS) &&
      underway.every(({ atMs }) => nowMs - atMs >= UNDERWAY_MS),
  );
  readonly #shared: Shared;
  readonly #prefix: string;
  readonly #now: () => number;

  constructor(options: { shared: Shared; prefix: string; now: () => number }) {
    this.#shared = options.shared;
    this.#prefix = options.prefix;
    this.#now = options.now;
  }

  take(phoneNumberId: string, mediaId: string): Refusal | undefined {
    const nowMs = this.#now();
    const lookups = this.#of(phoneNumberId, nowMs);
    const refuse = (untilMs: number) => refusalOf("media_lookup", QUOTA, untilMs - nowMs);
    if (nowMs < lookups.blockedUntilMs) {
      return refuse(lookups.blockedUntilMs);
    }
    if (this.#found.get(`${phoneNumberId}:${mediaId}`, nowMs) !== undefined) {
      return undefined;
    }
    lookups.failures = lookups.failures.filter(({ atMs }) => nowMs - atMs < HOUR_MS);
    lookups.underway = lookups.underway.filter(({ atMs }) => nowMs - atMs < UNDERWAY_MS);
    const { failures, underway } = lookups;
    const ofId = failures.filter((failure) => failure.mediaId === mediaId);
    const blocking = ofId.at(-FAILURES_OF_ID_MAX) ?? failures.at(-FAILURES_MAX);
    if (blocking !== undefined) {
      return refuse(blocking.atMs + HOUR_MS);
    }
    if (failures.length + underway.length >= HARD_MAX - 1) {
      return refuse(nowMs);
    }
    underway.push({ mediaId, atMs: nowMs });
    return undefined;
  }

  note(phoneNumberId: string, mediaId: string, found: boolean): void {
    const nowMs = this.#now();
    const lookups = this.#of(phoneNumberId, nowMs);
    const ended = lookups.underway.findIndex((lookup) => lookup.mediaId === mediaId);
    if (ended !== -1) {
      lookups.underway.splice(ended, 1);
    }
    const key = `${phoneNumberId}:${mediaId}`;
    if (found) {
      this.#found.set(key, true, nowMs);
      return;
    }
    this.#found.delete(key);
    const failure = { mediaId, atMs: nowMs, told: false };
    lookups.failures.push(failure);
    void this.#share(phoneNumberId, lookups, failure);
  }

  block(phoneNumberId: string, blockMs: number): void {
    const nowMs = this.#now();
    const lookups = this.#of(phoneNumberId, nowMs);
    lookups.blockedUntilMs = Math.max(lookups.blockedUntilMs, nowMs + blockMs);
  }

  async #share(phoneNumberId: string, lookups: Lookups, failure: Failure): Promise<void> {
    const key = `${this.#prefix}:media:${phoneNumberId}`;
    const rows = await this.#shared.run(failureScript, [key], [failure.mediaId]);
    if (rows === undefined) {
      return;
    }
    failure.told = true;
    const nowMs = this.#now();
    const all = (rows as [string, number][]).map(([mediaId, ageMs]) => ({
      mediaId,
      atMs: nowMs - ageMs,
      told: true,
    }));
    lookups.failures = [...all, ...lookups.failures.filter(({ told }) => !told)];
  }

  #of(phoneNumberId: string, nowMs: number): Lookups {
    const known = this.#numbers.get(phoneNumberId);
    if (known !== undefined) {
      return known;
    }
    const lookups: Lookups = { failures: [], underway: [], blockedUntilMs: 0 };
    this.#numbers.set(phoneNumberId, lookups, nowMs);
    return lookups;
  }
}
