import { createHash } from "node:crypto";
import { ApiError } from "../../errors.ts";
import type { Database } from "../../store/database.ts";
import type { Sealer } from "../../tenancy/sealing.ts";
import { MESSAGE_ID_HEADER } from "../headers.ts";
import { outcomeUnknown } from "../outcome-unknown.ts";
import { isKept, type KeptAnswer, openAnswer, sealAnswer } from "./kept-answer.ts";
import { type KeyRow, type Lease, releaseKey, settleKey, takeKey } from "./keys.ts";
import { IDEMPOTENT_REPLAYED } from "./parse-idempotency-key.ts";

/** A send that came with a key; the key is scoped to tenant, number and operation. */
export type KeyedSend = {
  tenantId: string;
  /** Ours, `num_…`. */
  numberId: string;
  operation: string;
  key: string;
  body: Buffer;
  search: string;
  /** A new one for each request; the first under a key stays the key's. */
  messageId: string;
};

export type Idempotency = {
  /**
   * `run`: send it, then call one of the other three. `replay`: the first answer again, with the
   * header that says so.
   * The promise throws `idempotency_key_reused`, `idempotency_in_progress`, or the first send's
   * `outcome_unknown`.
   */
  begin(send: KeyedSend): Promise<Begun>;
  /**
   * The send was answered: keeps the answer or gives the key back, as its status says. When the
   * database fails it throws; the answer is the caller's all the same, and the key lapses.
   */
  finish(lease: Lease, answer: Omit<KeptAnswer, "messageId">): Promise<void>;
  /** It was written, and no answer came. */
  finishUnknown(lease: Lease): Promise<void>;
  /** It was not sent: refused by us, or nobody could be reached. */
  release(lease: Lease): Promise<void>;
};

export type Begun = { kind: "run"; lease: Lease } | { kind: "replay"; answer: KeptAnswer };

/**
 * Sends with an `Idempotency-Key`: PostgreSQL holds what is running and what was answered, and its
 * clock decides. `leaseMs` is how long a send may run before its outcome counts as unknown.
 */
export function createIdempotency(options: {
  db: Database;
  sealer: Sealer;
  leaseMs: number;
}): Idempotency {
  const { db, sealer, leaseMs } = options;

  /** What the first send under a key came to, for one that comes later. */
  function replay(row: KeyRow, lease: Lease, requestSha256: Buffer): KeptAnswer {
    const { messageId } = lease;
    // Whoever is refused for a key's first send is told which one that is.
    const names = { [MESSAGE_ID_HEADER]: messageId };
    if (!row.request_sha256.equals(requestSha256)) {
      throw new ApiError(
        "idempotency_key_reused",
        "This Idempotency-Key was used for another body or query; nothing was sent.",
        { headers: names },
      );
    }
    if (row.state === "running") {
      throw new ApiError(
        "idempotency_in_progress",
        "The first send with this Idempotency-Key has no answer yet; nothing more was sent.",
        { headers: { ...names, "retry-after": "1" } },
      );
    }
    const headers = { [IDEMPOTENT_REPLAYED]: "true" };
    if (row.answer_sealed === null) {
      throw outcomeUnknown(messageId, { headers });
    }
    const answer = openAnswer(sealer, lease, row.answer_sealed);
    return { ...answer, headers: { ...answer.headers, ...headers } };
  }

  return {
    async begin({ tenantId, numberId, operation, key, search, body, messageId }) {
      const lease = { tenantId, numberId, operation, keySha256: sha256(key), messageId };
      const requestSha256 = sha256(`${search.length} ${search} `, body);
      const row = await takeKey(db, lease, { requestSha256, leaseMs });
      if (row.message_id === messageId) {
        return { kind: "run", lease };
      }
      const first = { ...lease, messageId: row.message_id };
      return { kind: "replay", answer: replay(row, first, requestSha256) };
    },

    async finish(lease, answer) {
      await (isKept(answer.status)
        ? settleKey(db, lease, { state: "answered", sealed: sealAnswer(sealer, lease, answer) })
        : releaseKey(db, lease));
    },
    finishUnknown: (lease) => settleKey(db, lease, { state: "unknown" }),
    release: (lease) => releaseKey(db, lease),
  };
}

function sha256(...parts: (string | Buffer)[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) {
    hash.update(part);
  }
  return hash.digest();
}
