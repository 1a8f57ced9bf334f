import { randomInt } from "node:crypto";
import type { FieldError } from "../errors.ts";
import type { OutboundAgent } from "../outbound/agent.ts";
import type { OutboundResult } from "../outbound/exchange.ts";
import type { Secret } from "../secret.ts";
import { ANSWER_BYTES_KEPT, explainResult } from "./explain-result.ts";
import { USER_AGENT } from "./post.ts";

const CHALLENGE_MAX = 2 ** 47;

/**
 * Asks a URL to prove that its owner wants our calls, as Meta does (Graph API, Webhooks, "Verification
 * Requests"): a GET with the token that the owner knows and a challenge, which is to come back.
 */
export async function proveUrl(
  outbound: Pick<OutboundAgent, "request">,
  options: {
    url: string;
    token: Secret;
    /** The endpoint's own: a receiver may let nobody in without them. */
    headers: Record<string, string>;
    timeoutMs: number;
  },
): Promise<FieldError[]> {
  const { url, token, headers, timeoutMs } = options;
  // Digits, as Meta's: many receivers read a number and answer it.
  const challenge = String(randomInt(CHALLENGE_MAX));
  const query = new URLSearchParams({
    "hub.mode": "subscribe",
    "hub.verify_token": token.reveal(),
    "hub.challenge": challenge,
  });
  const result = await outbound.request({
    method: "GET",
    url: `${url}${url.includes("?") ? "&" : "?"}${query.toString()}`,
    headers: { "user-agent": USER_AGENT, ...headers },
    timeoutMs,
    answerBytesMax: ANSWER_BYTES_KEPT,
  });
  const wrong = whatIsWrong(result, challenge);
  return wrong === undefined
    ? []
    : [{ code: "url_proof_failed", pointer: "/url", detail: `The URL was not proved: ${wrong}` }];
}

function whatIsWrong(result: OutboundResult, challenge: string): string | undefined {
  if (result.kind !== "answer" || result.status < 200 || result.status > 299) {
    return explainResult(result);
  }
  return result.body.toString("utf8") === challenge
    ? undefined
    : `it answered ${result.status}, but not with hub.challenge as its whole body.`;
}
