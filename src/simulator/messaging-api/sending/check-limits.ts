import { recipientId } from "../../messages/outgoing-message.ts";
import type { Limiter } from "../limits/limiter.ts";
import type { CheckSend } from "./post-messages.ts";

/** Refuses sends beyond the number's throughput or beyond what one user may get. */
export function checkLimits(limiter: Limiter): CheckSend {
  return ({ phoneNumberId }, { recipient }) =>
    limiter.refuseSend({ phoneNumberId, user: recipientId(recipient), nowMs: Date.now() });
}
