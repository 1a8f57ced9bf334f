import { ApiError } from "../../errors.ts";

/** Why a call must wait. */
export type Refusal = {
  limit: "number" | "pair" | "upload" | "media_lookup";
  retryAfterSeconds: number;
  remaining: number;
  quota: number;
  windowSeconds: number;
};

const META_PAIR_RATE = 131056;

const DETAILS: Record<Refusal["limit"], string> = {
  number: "The number sends as fast as it may; nothing was sent.",
  pair: "The number writes to this user as fast as it may; nothing was sent.",
  upload: "The number uploads as fast as it may; nothing was uploaded.",
  media_lookup: "Look-ups of media failed too often; nothing was asked.",
};

/** At least a second, because the header knows nothing finer and zero would be an invitation. */
export function refusalOf(
  limit: Refusal["limit"],
  quota: { calls: number; seconds: number },
  freeInMs: number,
): Refusal {
  return {
    limit,
    retryAfterSeconds: Math.max(1, Math.ceil(freeInMs / 1000)),
    remaining: 0,
    quota: quota.calls,
    windowSeconds: quota.seconds,
  };
}

/** Makes the answer to a call that must wait. */
export type RefusedBy = (refusal: Refusal) => ApiError;

/** The answer to a call that must wait, with the headers that say how long and why. */
export function refusalError(refusal: Refusal): ApiError {
  const { limit, retryAfterSeconds, remaining, quota, windowSeconds } = refusal;
  return new ApiError("rate_limited", DETAILS[limit], {
    headers: {
      "retry-after": `${retryAfterSeconds}`,
      ratelimit: `"${limit}";r=${remaining};t=${retryAfterSeconds}`,
      "ratelimit-policy": `"${limit}";q=${quota};w=${windowSeconds}`,
    },
    ...(limit === "pair" && { meta: META_PAIR_RATE }),
  });
}
