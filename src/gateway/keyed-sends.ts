import { type Log, logBackgroundFailed } from "../log.ts";
import type { WholeAnswer } from "./answer.ts";
import type { Idempotency } from "./idempotency/idempotency.ts";
import { MESSAGE_ID_HEADER } from "./headers.ts";
import { IDEMPOTENCY_KEY, parseIdempotencyKey } from "./idempotency/parse-idempotency-key.ts";
import { isOutcomeUnknown } from "./outcome-unknown.ts";
import type { Sending } from "./sending.ts";

/** Makes a send, or gives what came of the one before with the same `Idempotency-Key`. */
export type KeyedSends = (sending: Sending, send: Send) => Promise<WholeAnswer>;

type Send = (sending: Sending) => Promise<WholeAnswer>;

export function createKeyedSends(options: { idempotency: Idempotency; log: Log }): KeyedSends {
  const { idempotency, log } = options;

  /**
   * What came of the send is told to its caller whether or not it can be written down: without a row
   * the key's answer becomes `outcome_unknown`, never a second send.
   */
  const noted = (note: Promise<void>): Promise<void> =>
    note.catch((err: unknown) => logBackgroundFailed(log, { job: "idempotency", err }));

  async function withKey(key: string, sending: Sending, send: Send): Promise<WholeAnswer> {
    const { call, identified, body, read, messageId } = sending;
    const begun = await idempotency.begin({
      tenantId: identified.caller.tenantId,
      numberId: identified.number.id,
      operation: identified.operation.operationId,
      key,
      body,
      search: identified.parsed.search,
      messageId,
    });
    if (begun.kind === "replay") {
      if (!read.isStatus) {
        call.record.messageId = begun.answer.messageId;
        call.headers[MESSAGE_ID_HEADER] = begun.answer.messageId;
      }
      return begun.answer;
    }
    try {
      const answer = await send(sending);
      await noted(idempotency.finish(begun.lease, answer));
      return answer;
    } catch (error) {
      await noted(
        isOutcomeUnknown(error)
          ? idempotency.finishUnknown(begun.lease)
          : idempotency.release(begun.lease),
      );
      throw error;
    }
  }

  return (sending, send) => {
    const key = parseIdempotencyKey(sending.call.req.headers[IDEMPOTENCY_KEY]);
    return key === undefined ? send(sending) : withKey(key, sending, send);
  };
}
