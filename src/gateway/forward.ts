import { Readable } from "node:stream";
import type { Exchange, Upstream, UpstreamCall } from "../dialog360/exchange.ts";
import type { Origins } from "../dialog360/origins.ts";
import { ApiError } from "../errors.ts";
import type { DirectoryNumber } from "../tenancy/directory.ts";
import type { WholeAnswer } from "./answer.ts";
import { pickAnswerHeaders } from "./headers.ts";
import { usableKey } from "./number-key.ts";
import { outcomeUnknown } from "./outcome-unknown.ts";
import type { CallWithKey } from "./call-with-key.ts";

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

/**
 * Puts the number's key on a call and makes it. Upstream's answer comes back whatever it is, but
 * for a 401: trouble with a key is ours, never the tenant's.
 * The promise throws `api_key_rejected`, `key_rotating`, `upstream_unreachable`, `outcome_unknown`
 * or `upstream_timeout`.
 */
export function createForward(options: {
  upstream: Pick<Upstream, "exchange">;
  origins: Origins;
  callWithKey: CallWithKey;
}): Forward {
  const { upstream, origins, callWithKey } = options;

  async function attempt(
    number: DirectoryNumber,
    call: ForwardedCall,
  ): Promise<WholeAnswer | undefined> {
    const exchange = await upstream.exchange(upstreamCall(number, call, origins));
    if (exchange.kind !== "answer") {
      return throwUnanswered(exchange, call.messageId);
    }
    const { status, headers, body } = exchange;
    return status === 401 ? undefined : { status, headers: pickAnswerHeaders(headers), body };
  }

  return (number, call) =>
    callWithKey(number, (now) => attempt(now, call), {
      // What was streamed cannot be sent a second time by us, but by its caller.
      repeatable: !(call.body instanceof Readable),
    });
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
