import type { Database } from "../store/database.ts";
import { createWriteBehind } from "./write-behind.ts";
import { forgetMessages, type SendToWrite, writeMessages } from "./write-messages.ts";

/**
 * Bytes are held as latin1 text, which has a character for each, and times in milliseconds: hundreds
 * of sends wait to be written at any moment, and what waits is copied by the garbage collector, a
 * Buffer with all that belongs to it.
 */
export type LoggedSend = {
  id: string;
  tenantId: string;
  phoneNumberId: string;
  clientId: string;
  operation: string;
  recipient: string | undefined;
  type: string | undefined;
  callbackData: string | undefined;
  contentType: string | undefined;
  body: string;
  sentAtMs: number;
};

export type SendOutcome =
  | {
      kind: "answered";
      status: number;
      contentType: string | undefined;
      body: string;
      answeredAtMs: number;
    }
  | { kind: "unknown" }
  | { kind: "not_sent" };

export type MessageLog = {
  /** Called when a send is about to be written upstream. Nothing waits. */
  begin(send: LoggedSend): void;
  /**
   * Called with what came of it. Nothing waits. `not_sent`: forgotten, if it was not written yet,
   * else deleted.
   */
  end(id: string, outcome: SendOutcome): void;
  /** Writes what waits; at stop. */
  drain(): Promise<void>;
};

const TELL_AFTER_MS = 1000;
const LOOK_EVERY_MS = 250;

type Entry = SendToWrite & {
  /** It waits to be written. */
  queued: boolean;
  /** It may have a row. */
  told: boolean;
};

/**
 * The message log, written behind: a send that ends has its row a moment later, one that takes long
 * has one in state `sending`, so that other processes know of it. A crash may lose the row of a send
 * that has ended, never the send.
 */
export function createMessageLog(options: {
  db: Database;
  /** There are sends now whose outcome is unknown. */
  onUnknown: () => void;
  onError: (error: unknown) => void;
  onDropped: (count: number) => void;
}): MessageLog {
  const { db } = options;
  // Under way, oldest first: those that nobody else knows of yet, and those that take long.
  const untold = new Map<string, Entry>();
  const told = new Map<string, Entry>();
  let timer: NodeJS.Timeout | undefined;

  const behind = createWriteBehind<Entry>({
    write,
    weigh: ({ send, outcome }) =>
      send.body.length + (outcome?.kind === "answered" ? outcome.body.length : 0),
    onError: options.onError,
    onDropped: options.onDropped,
  });

  async function write(waiting: readonly Entry[]): Promise<void> {
    // One that waits again after a failure may have been queued once more.
    const entries = [...new Set(waiting)];
    // What comes of them while they are written is written after this.
    for (const entry of entries) {
      entry.queued = false;
    }
    const made = entries.filter(({ outcome }) => outcome?.kind !== "not_sent");
    const unmade = entries.filter((entry) => entry.outcome?.kind === "not_sent" && entry.told);
    for (const entry of made) {
      entry.told = true;
    }
    if (made.length > 0) {
      await writeMessages(db, made);
    }
    if (unmade.length > 0) {
      await forgetMessages(
        db,
        unmade.map(({ send }) => send),
      );
    }
    if (made.some(({ outcome }) => outcome?.kind === "unknown")) {
      options.onUnknown();
    }
  }

  function queue(entry: Entry): void {
    if (!entry.queued) {
      entry.queued = behind.add(entry);
    }
  }

  function tellWhatTakesLong(): void {
    timer = undefined;
    const latestMs = Date.now() - TELL_AFTER_MS;
    for (const [id, entry] of untold) {
      if (entry.send.sentAtMs > latestMs) {
        break;
      }
      untold.delete(id);
      told.set(id, entry);
      queue(entry);
    }
    lookLater();
  }

  function lookLater(): void {
    if (timer === undefined && untold.size > 0) {
      timer = setTimeout(tellWhatTakesLong, LOOK_EVERY_MS);
    }
  }

  return {
    begin(send) {
      untold.set(send.id, { send, outcome: undefined, queued: false, told: false });
      lookLater();
    },
    end(id, outcome) {
      const entry = untold.get(id) ?? told.get(id);
      if (entry === undefined) {
        return;
      }
      untold.delete(id);
      told.delete(id);
      entry.outcome = outcome;
      if (outcome.kind !== "not_sent" || entry.queued || entry.told) {
        queue(entry);
      }
    },
    async drain() {
      clearTimeout(timer);
      // Whoever stops us has given these up; others must learn that they were made.
      for (const entry of untold.values()) {
        queue(entry);
      }
      await behind.drain();
    },
  };
}
