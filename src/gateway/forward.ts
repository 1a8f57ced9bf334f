import type { Exchange, Upstream } from "../dialog360/exchange.ts";
import type { Origins } from "../dialog360/origins.ts";
import { ApiError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import type { DirectoryNumber } from "../tenancy/directory.ts";
import { outcomeUnknown } from "./outcome-unknown.ts";

/** A call as it goes upstream; its key is added by `forward`. */
export type ForwardedCall = {
  method: string;
  path: string;
  headers: string[];
  body: Buffer | null;
  /** A send: once written it is never sent again, and without an answer its outcome is unknown. */
  messageId: string | undefined;
};

export type Forward = (number: DirectoryNumber, call: ForwardedCall) => Promise<Answer>;
export type Answer = Extract<Exchange, { kind: "answer" }>;

export type ForwardOptions = {
  upstream: Upstream;
  origins: Origins;
  /** The number as it is in the database now. */
  reloadNumber: (number: DirectoryNumber) => Promise<DirectoryNumber | undefined>;
  /** 360dialog refuses this key: later calls are answered without asking. */
  markKeyRejected: (number: DirectoryNumber) => Promise<void>;
};

/**
 * Puts the number's key on a call and makes it. Upstream's answer comes back whatever it is, but
 * for a 401: trouble with a key is ours, never the tenant's.
 * The promise throws `api_key_rejected`, `upstream_unreachable`, `outcome_unknown` or
 * `upstream_timeout`.
 */
export function createForward(options: ForwardOptions): Forward {
  const { upstream, origins, reloadNumber, markKeyRejected } = options;

  async function callWith(
    number: DirectoryNumber,
    apiKey: Secret,
    call: ForwardedCall,
  ): Promise<Answer> {
    const { method, path, headers, body, messageId } = call;
    const origin = origins.resolve(number.baseUrl);
    if (origin === undefined) {
      throw new ApiError(
        "upstream_unreachable",
        "The operator does not allow the number's base_url.",
      );
    }
    const exchange = await upstream.exchange({ origin, method, path, headers, body, apiKey });
    return exchange.kind === "answer" ? exchange : refuse(exchange, messageId);
  }

  return async (number, call) => {
    const apiKey = usableKey(number);
    const answer = await callWith(number, apiKey, call);
    if (answer.status !== 401) {
      return answer;
    }
    // A call that is refused with 401 was not executed, so it may go again with a newer key.
    const now = await reloadNumber(number);
    const newKey = now?.state === "running" ? now.apiKey() : undefined;
    if (now === undefined || newKey === undefined || newKey.reveal() === apiKey.reveal()) {
      await markKeyRejected(number);
      throw keyRejected();
    }
    const again = await callWith(now, newKey, call);
    if (again.status === 401) {
      await markKeyRejected(now);
      throw keyRejected();
    }
    return again;
  };
}

function usableKey(number: DirectoryNumber): Secret {
  const apiKey = number.apiKey();
  switch (number.state) {
    case "suspended":
      throw new ApiError("tenant_suspended", "The partner has suspended this number.");
    case "pending":
    case "key_rejected":
      throw keyRejected();
    case "running":
      if (apiKey === undefined) {
        throw keyRejected();
      }
      return apiKey;
    default:
      return number.state satisfies never;
  }
}

function keyRejected(): ApiError {
  return new ApiError(
    "api_key_rejected",
    "The number has no API key that 360dialog accepts; the partner has to give it a new one.",
  );
}

function refuse(
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
