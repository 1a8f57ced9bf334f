import { Readable } from "node:stream";
import type { Exchange, Upstream, UpstreamCall } from "../dialog360/exchange.ts";
import type { Origins } from "../dialog360/origins.ts";
import { ApiError } from "../errors.ts";
import type { DirectoryNumber } from "../tenancy/directory.ts";
import type { WholeAnswer } from "./answer.ts";
import { pickAnswerHeaders } from "./headers.ts";
import { keyRejected, keyRotating, usableKey } from "./number-key.ts";
import { outcomeUnknown } from "./outcome-unknown.ts";

/** A call as it goes upstream; its key is added by `forward`. */
export type ForwardedCall = {
  method: string;
  path: string;
  headers: string[];
  /** A stream is passed on as it comes, and can be sent only once. */
  body: Buffer | Readable | null;
  /** A send: once written it is never sent again, and without an answer its outcome is unknown. */
  messageId: string | undefined;
};

export type Forward = (number: DirectoryNumber, call: ForwardedCall) => Promise<WholeAnswer>;

export type ForwardOptions = {
  upstream: Pick<Upstream, "exchange">;
  origins: Origins;
  /** The number as it is in the database now. */
  reloadNumber: (number: DirectoryNumber) => Promise<DirectoryNumber | undefined>;
  /** 360dialog refuses this key: later calls are answered without asking. */
  markKeyRejected: (number: DirectoryNumber) => Promise<void>;
};

/**
 * Puts the number's key on a call and makes it. Upstream's answer comes back whatever it is, but
 * for a 401: trouble with a key is ours, never the tenant's.
 * The promise throws `api_key_rejected`, `key_rotating`, `upstream_unreachable`, `outcome_unknown`
 * or `upstream_timeout`.
 */
export function createForward(options: ForwardOptions): Forward {
  const { upstream, origins, reloadNumber, markKeyRejected } = options;

  return async (number, call) => {
    const exchange = await upstream.exchange(upstreamCall(number, call, origins));
    const answer = wholeAnswer(exchange, call);
    if (answer.status !== 401) {
      return answer;
    }
    // A call that is refused with 401 was not executed, so it may go again with a newer key.
    const now = await newerKey(number, reloadNumber);
    if (now === undefined) {
      await markKeyRejected(number);
      throw keyRejected();
    }
    if (call.body instanceof Readable) {
      throw keyRotating();
    }
    const again = wholeAnswer(await upstream.exchange(upstreamCall(now, call, origins)), call);
    if (again.status === 401) {
      await markKeyRejected(now);
      throw keyRejected();
    }
    return again;
  };
}

function wholeAnswer(exchange: Exchange, call: ForwardedCall): WholeAnswer {
  if (exchange.kind !== "answer") {
    return throwUnanswered(exchange, call.messageId);
  }
  const { status, headers, body } = exchange;
  return { status, headers: pickAnswerHeaders(headers), body };
}

/** The number with a key that is newer than the one it was called with, if there is one. */
export async function newerKey(
  number: DirectoryNumber,
  reloadNumber: ForwardOptions["reloadNumber"],
): Promise<DirectoryNumber | undefined> {
  const now = await reloadNumber(number);
  const newKey = now?.state === "running" ? now.apiKey() : undefined;
  return newKey === undefined || newKey.reveal() === number.apiKey()?.reveal() ? undefined : now;
}

/** A call with its number's key and origin. @throws {ApiError} when there is none to call with */
export function upstreamCall(
  number: DirectoryNumber,
  call: ForwardedCall,
  origins: Origins,
): UpstreamCall {
  const { method, path, headers, body } = call;
  const apiKey = usableKey(number);
  const origin = origins.resolve(number.baseUrl);
  if (origin === undefined) {
    throw new ApiError(
      "upstream_unreachable",
      "The operator does not allow the number's base_url.",
    );
  }
  return { origin, method, path, headers, body, apiKey };
}

/** What became of a call without an answer, as its caller is told. */
export function throwUnanswered(
  exchange: Exclude<Exchange, { kind: "answer" }>,
  messageId: string | undefined,
): never {
  const { cause } = exchange;
  if (exchange.kind === "not_sent") {
    const detail = "360dialog could not be reached; nothing was sent.";
    throw new ApiError("upstream_unreachable", detail, { cause });
  }
  if (messageId !== undefined) {
    throw outcomeUnknown(messageId, { cause });
  }
  throw exchange.timedOut
    ? new ApiError("upstream_timeout", "360dialog did not answer in time.", { cause })
    : new ApiError("upstream_unreachable", "360dialog broke the connection.", { cause });
}
