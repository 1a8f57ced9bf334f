import type { WholeAnswer } from "./answer.ts";
import type { ThrottledAnswer } from "./throttle/throttle.ts";

/** An answer as the throttle learns from it: under which limit the call went, and what came of it. */
export function learnable(
  { status, headers, body }: WholeAnswer,
  call: Pick<ThrottledAnswer, "limit" | "user">,
): ThrottledAnswer {
  return { ...call, status, retryAfter: headers["retry-after"], body };
}
