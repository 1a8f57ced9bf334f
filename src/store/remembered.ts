import type { Soon } from "../soon.ts";
import type { ChangeFeed } from "./change-feed.ts";

/**
 * What was loaded is kept until a change is announced. Beside a stale feed it is not used: a
 * revocation that this process cannot hear of must not be outlived by what it remembers. What is not
 * there is not kept, so that guesses crowd out nothing that is.
 */
export type Remembered<Value> = {
  get: (key: string) => Soon<Value>;
  forget: (key: string) => void;
};

export function createRemembered<Value>(options: {
  feed: Pick<ChangeFeed, "fresh">;
  load: (key: string) => Promise<Value>;
  /** The oldest entry goes when there are more. */
  entriesMax: number;
}): Remembered<Value> {
  const entries = new Map<string, { value: Soon<Value> }>();

  function load(key: string): Promise<Value> {
    const loading = options.load(key);
    const entry: { value: Soon<Value> } = { value: loading };
    entries.set(key, entry);
    const drop = (): void => {
      if (entries.get(key) === entry) {
        entries.delete(key);
      }
    };
    const keep = (value: Value): void => {
      entry.value = value;
      makeRoom();
    };
    loading.then((value) => (value === undefined ? drop() : keep(value))).catch(drop);
    return loading;
  }

  function makeRoom(): void {
    for (const oldest of entries.keys()) {
      if (entries.size <= options.entriesMax) {
        return;
      }
      entries.delete(oldest);
    }
  }

  return {
    get(key) {
      const entry = options.feed.fresh() ? entries.get(key) : undefined;
      return entry === undefined ? load(key) : entry.value;
    },
    forget: (key) => void entries.delete(key),
  };
}
