import { setTimeout as sleep } from "node:timers/promises";
import type { DirectoryNumber } from "../tenancy/directory.ts";
import { keyRejected, keyRotating } from "./number-key.ts";

/** A call with one key: `undefined` when 360dialog refuses the key, so that nothing was executed. */
export type Attempt<T> = (number: DirectoryNumber) => Promise<T | undefined>;

/**
 * What is made of a call after its key was refused. Trouble with a key is ours, never the tenant's:
 * the call goes again with a newer key, if one comes within 5 s.
 * The promise throws `api_key_rejected`, or `key_rotating` for a call that cannot be repeated.
 */
export type AfterRefusedKey = <T>(
  number: DirectoryNumber,
  attempt: Attempt<T>,
  options: { repeatable: boolean },
) => Promise<T>;

const NEWER_KEY_WITHIN_MS = 5000;
const LOOK_EVERY_MS = 250;

export function createAfterRefusedKey(options: {
  /** The number as it is in the database now. */
  reloadNumber: (number: DirectoryNumber) => Promise<DirectoryNumber | undefined>;
  /** 360dialog refuses this key: later calls are answered without asking. */
  markKeyRejected: (number: DirectoryNumber) => Promise<void>;
  withinMs?: number;
}): AfterRefusedKey {
  const { reloadNumber, markKeyRejected, withinMs = NEWER_KEY_WITHIN_MS } = options;
  // Calls that meet the same refused key look for its successor together.
  const looking = new Map<string, Promise<DirectoryNumber | undefined>>();

  /** The number with another key than the refused one; at once without one when it has stopped. */
  async function lookForNewerKey(refused: DirectoryNumber): Promise<DirectoryNumber | undefined> {
    const untilMs = performance.now() + withinMs;
    for (;;) {
      const now = await reloadNumber(refused);
      const key = now?.state === "running" ? now.apiKey() : undefined;
      if (key !== undefined && key.reveal() !== refused.apiKey()?.reveal()) {
        return now;
      }
      if (key === undefined || performance.now() >= untilMs) {
        return undefined;
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  function newerKey(refused: DirectoryNumber): Promise<DirectoryNumber | undefined> {
    const found =
      looking.get(refused.id) ?? lookForNewerKey(refused).finally(() => looking.delete(refused.id));
    looking.set(refused.id, found);
    return found;
  }

  return async (number, attempt, { repeatable }) => {
    const now = await newerKey(number);
    if (now === undefined) {
      await markKeyRejected(number);
      throw keyRejected();
    }
    if (!repeatable) {
      throw keyRotating();
    }
    const again = await attempt(now);
    if (again === undefined) {
      await markKeyRejected(now);
      throw keyRejected();
    }
    return again;
  };
}
