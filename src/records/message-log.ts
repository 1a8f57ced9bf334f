import type { Database } from "../store/database.ts";
import { createWriteBehind } from "./write-behind.ts";
import {
  forgetMessages,
  type KnownSend,
  type PackedSends,
  packSends,
  splitSends,
  writeMessages,
} from "./write-messages.ts";

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
  body: Buffer;
  sentAtMs: number;
};

/** Of a send that was made. */
export type WrittenOutcome =
  | {
      kind: "answered";
      status: number;
      contentType: string | undefined;
      body: Buffer;
      answeredAtMs: number;
    }
  | { kind: "unknown" };

export type SendOutcome = WrittenOutcome | { kind: "not_sent" };

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

type Forgotten = Pick<LoggedSend, "id" | "tenantId" | "sentAtMs">;

/** What is to be done about a row; of what waits for the same send, the last counts. */
type Change = { write: KnownSend } | { forget: Forgotten };

type Batch = { sends: PackedSends; hasUnknown: boolean; forgotten: Forgotten[] };

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
  // Under way, oldest first: those that nobody else knows of yet, and those that may have a row.
  const untold = new Map<string, LoggedSend>();
  const told = new Map<string, LoggedSend>();
  let timer: NodeJS.Timeout | undefined;

  const behind = createWriteBehind<Change, Batch>({
    pack,
    write,
    split: ({ sends, forgotten, ...rest }) => [
      ...splitSends(sends).map((each) => ({ ...rest, sends: each, forgotten: [] })),
      { ...rest, sends: packSends([]), forgotten },
    ],
    weigh: (change) => ("write" in change ? bytesOf(change.write) : 0),
    onError: options.onError,
    onDropped: options.onDropped,
  });

  async function write({ sends, hasUnknown, forgotten }: Batch): Promise<void> {
    if (sends.lengths.length > 0) {
      await writeMessages(db, sends);
    }
    if (forgotten.length > 0) {
      await forgetMessages(db, forgotten);
    }
    if (hasUnknown) {
      options.onUnknown();
    }
  }

  function tell(send: LoggedSend): void {
    untold.delete(send.id);
    told.set(send.id, send);
    behind.add({ write: { send, outcome: undefined } });
  }

  function tellWhatTakesLong(): void {
    timer = undefined;
    const latestMs = Date.now() - TELL_AFTER_MS;
    for (const send of untold.values()) {
      if (send.sentAtMs > latestMs) {
        break;
      }
      tell(send);
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
      untold.set(send.id, send);
      lookLater();
    },
    end(id, outcome) {
      const wasTold = told.get(id);
      const send = wasTold ?? untold.get(id);
      if (send === undefined) {
        return;
      }
      untold.delete(id);
      told.delete(id);
      if (outcome.kind !== "not_sent") {
        behind.add({ write: { send, outcome } }, { corrects: wasTold !== undefined });
      } else if (wasTold !== undefined) {
        const { tenantId, sentAtMs } = send;
        behind.add({ forget: { id, tenantId, sentAtMs } }, { corrects: true });
      }
    },
    async drain() {
      clearTimeout(timer);
      // Whoever stops us has given these up; others must learn that they were made.
      untold.forEach(tell);
      await behind.drain();
    },
  };
}

function pack(changes: readonly Change[]): Batch {
  const writes = new Map<string, KnownSend>();
  const forgotten = new Map<string, Forgotten>();
  for (const change of changes) {
    if ("write" in change) {
      writes.set(change.write.send.id, change.write);
    } else {
      writes.delete(change.forget.id);
      forgotten.set(change.forget.id, change.forget);
    }
  }
  const sends = [...writes.values()];
  return {
    sends: packSends(sends),
    hasUnknown: sends.some(({ outcome }) => outcome?.kind === "unknown"),
    forgotten: [...forgotten.values()],
  };
}

function bytesOf({ send, outcome }: KnownSend): number {
  return send.body.length + (outcome?.kind === "answered" ? outcome.body.length : 0);
}
