import type { OutboundAgent } from "../outbound/agent.ts";
import type { OutboundResult } from "../outbound/exchange.ts";
import type { OpenedSecrets } from "./endpoint-secrets.ts";
import { ANSWER_BYTES_KEPT } from "./explain-result.ts";
import { signatureHeaders } from "./sign.ts";

export type SignedPost = {
  url: string;
  opened: OpenedSecrets;
  /** Becomes the `webhook-id`. */
  deliveryId: string;
  attemptNumber: number;
  at: Date;
  contentType: string;
  body: Buffer;
  timeoutMs: number;
};

/** The one way in which anything is posted to a tenant's endpoint: deliveries, probes and tests. */
export function postSigned(
  outbound: OutboundAgent,
  post: SignedPost,
  signal?: AbortSignal,
): Promise<OutboundResult> {
  const { url, opened, body, at } = post;
  return outbound.request({
    method: "POST",
    url,
    headers: {
      "user-agent": USER_AGENT,
      ...inLowerCase(opened.headers),
      "content-type": post.contentType,
      "webhook-attempt": String(post.attemptNumber),
      ...signatureHeaders({
        deliveryId: post.deliveryId,
        timestampSeconds: Math.floor(at.getTime() / 1000),
        body,
        secrets: opened.signingSecrets,
      }),
    },
    body,
    timeoutMs: post.timeoutMs,
    answerBytesMax: ANSWER_BYTES_KEPT,
    ...(signal && { signal }),
  });
}

export const USER_AGENT = "waba-gateway";

/** So that a tenant's `Content-Type` and ours are one header and not two. */
function inLowerCase(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
