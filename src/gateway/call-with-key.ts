import { setTimeout as sleep } from "node:timers/promises";
import type { DirectoryNumber } from "../tenancy/directory.ts";
import { keyRejected, keyRotating } from "./number-key.ts";

/** A call with one key: `undefined` when 360dialog refuses the key, so that nothing was executed. */
export type Attempt<T> = (number: DirectoryNumber) => Promise<T | undefined>;

/**
 * Makes a call with the number's key. Trouble with a key is ours, never the tenant's: while a new key is
 * being made the call waits for it up to 5 s; one whose key is refused goes again with a newer key,
 * if one comes within 5 s. While that is waited for, no other call tries the refused key.
 * The promise throws `api_key_rejected`, or `key_rotating` for a call that cannot be repeated.
 */
export type CallWithKey = <T>(
  number: DirectoryNumber,
  attempt: Attempt<T>,
  options: { repeatable: boolean },
) => Promise<T>;

const NEWER_KEY_WITHIN_MS = 5000;
const LOOK_EVERY_MS = 50;

export function createCallWithKey(options: {
  /** The number as it is in the database now. */
  reloadNumber: (number: DirectoryNumber) => Promise<DirectoryNumber | undefined>;
  /** 360dialog refuses this key: later calls are answered without asking. */
  markKeyRejected: (number: DirectoryNumber) => Promise<void>;
  withinMs?: number;
}): CallWithKey {
  const { reloadNumber, markKeyRejected, withinMs = NEWER_KEY_WITHIN_MS } = options;
  // Calls that wait for the same thing look for it together.
  const refusals = new Map<string, { key: string; newer: Promise<DirectoryNumber | undefined> }>();
  const rotations = new Map<string, Promise<DirectoryNumber | undefined>>();

  /** The number with another key than the refused one; at once without one when it has stopped. */
  async function lookForNewerKey(refused: DirectoryNumber): Promise<DirectoryNumber | undefined> {
    const untilMs = performance.now() + withinMs;
    for (;;) {
      const now = await reloadNumber(refused);
      const late = performance.now() >= untilMs;
      if (now === undefined || (now.state !== "running" && !now.rotating)) {
        return undefined;
      }
      const key = keyOf(now);
      const isNewer = now.state === "running" && key !== undefined && key !== keyOf(refused);
      if (isNewer && (late || !now.rotating)) {
        return now;
      }
      if (late || (key === undefined && !now.rotating)) {
        return undefined;
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  async function newerOrMarked(refused: DirectoryNumber): Promise<DirectoryNumber | undefined> {
    const newer = await lookForNewerKey(refused);
    if (newer === undefined) {
      await markKeyRejected(refused);
    }
    return newer;
  }

  /** The number when its new key is there, or when that has taken too long. */
  async function lookForRotated(number: DirectoryNumber): Promise<DirectoryNumber | undefined> {
    const untilMs = performance.now() + withinMs;
    for (;;) {
      const now = await reloadNumber(number);
      if (now?.rotating !== true || performance.now() >= untilMs) {
        return now;
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  function newerKey(refused: DirectoryNumber): Promise<DirectoryNumber | undefined> {
    const known = refusals.get(refused.id);
    const key = keyOf(refused) ?? "";
    if (known?.key === key) {
      return known.newer;
    }
    const refusal = { key, newer: newerOrMarked(refused) };
    const forget = (): void => {
      if (refusals.get(refused.id) === refusal) {
        refusals.delete(refused.id);
      }
    };
    refusals.set(refused.id, refusal);
    refusal.newer.then(forget, forget);
    return refusal.newer;
  }

  function rotated(number: DirectoryNumber): Promise<DirectoryNumber | undefined> {
    const looking =
      rotations.get(number.id) ?? lookForRotated(number).finally(() => rotations.delete(number.id));
    rotations.set(number.id, looking);
    return looking;
  }

  /** The number with the key to begin with. */
  async function ready(number: DirectoryNumber): Promise<DirectoryNumber> {
    if (number.rotating && number.state !== "suspended") {
      const now = await rotated(number);
      if (now === undefined) {
        throw keyRejected();
      }
      return now;
    }
    const refusal = refusals.get(number.id);
    if (refusal === undefined || refusal.key !== keyOf(number)) {
      return number;
    }
    const newer = await refusal.newer;
    if (newer === undefined) {
      throw keyRejected();
    }
    return newer;
  }

  /** What was streamed cannot wait: it is sent back as soon as it is known why the key was refused. */
  async function demandRepeatable(refused: DirectoryNumber): Promise<void> {
    const now = await reloadNumber(refused);
    const key = now?.state === "running" ? keyOf(now) : undefined;
    if (now?.rotating === true || (key !== undefined && key !== keyOf(refused))) {
      throw keyRotating();
    }
  }

  /** When 360dialog has refused the key. */
  async function callAgain<T>(
    refused: DirectoryNumber,
    attempt: Attempt<T>,
    { repeatable }: { repeatable: boolean },
  ): Promise<T> {
    const untilMs = performance.now() + withinMs;
    let now = refused;
    for (;;) {
      if (!repeatable) {
        await demandRepeatable(now);
      }
      const newer = performance.now() < untilMs ? await newerKey(now) : undefined;
      if (newer === undefined) {
        throw keyRejected();
      }
      if (!repeatable) {
        throw keyRotating();
      }
      now = newer;
      const answer = await attempt(now);
      if (answer !== undefined) {
        return answer;
      }
    }
  }

  return async (number, attempt, { repeatable }) => {
    const now = number.rotating || refusals.size > 0 ? await ready(number) : number;
    return (await attempt(now)) ?? callAgain(now, attempt, { repeatable });
  };
}

function keyOf(number: DirectoryNumber): string | undefined {
  return number.apiKey()?.reveal();
}
