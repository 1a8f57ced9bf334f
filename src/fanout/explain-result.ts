import type { OutboundResult } from "../outbound/exchange.ts";

/** How much of an answer is read and kept. */
export const ANSWER_BYTES_KEPT = 1024;

/** What may be shown of an answer: what a host of the operator's own network says is nobody's to read back. */
export function shownAnswer(result: OutboundResult): Buffer | null {
  return result.kind === "answer" && !result.byAllowList && result.body.length > 0
    ? result.body.subarray(0, ANSWER_BYTES_KEPT)
    : null;
}

/** What came of one request to an endpoint, in words for its tenant. */
export function explainResult(result: OutboundResult): string {
  switch (result.kind) {
    case "answer":
      return `The endpoint answered ${result.status}.`;
    case "refused_address":
    case "failed":
      return result.detail;
    default:
      return result satisfies never;
  }
}
