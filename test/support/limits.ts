import { expect } from "vitest";
import type { Answer } from "./call.ts";

export const NUMBER_PER_SECOND = 80;
export const PAIR_BURST = 45;

/** A limit as a refusal names it, and Meta's code for it. */
export type LimitTold = { limit: string; policy: string; meta: number };

export const NUMBER: LimitTold = {
  limit: "number",
  policy: `q=${NUMBER_PER_SECOND};w=1`,
  meta: 130429,
};
export const PAIR: LimitTold = { limit: "pair", policy: `q=${PAIR_BURST};w=270`, meta: 131056 };

let users = 0;

/** Somebody whom nobody in this file has written to. */
export const newUser = (): string => `1555${String(++users).padStart(7, "0")}`;

export const countOf = (answers: readonly Answer[], status: number): number =>
  answers.filter((answer) => answer.status === status).length;

/** Ours, said in both languages, with all that a client needs in order to come back in time. */
export function expectRateLimited(
  answer: Answer | undefined,
  { limit, policy, meta }: LimitTold,
): void {
  const { status, json, headers } = answer as Answer;
  expect([status, json.code, json.error.code]).toEqual([429, "rate_limited", meta]);
  const retryAfter = Number(headers["retry-after"]);
  expect(Number.isInteger(retryAfter) && retryAfter >= 1).toBe(true);
  expect(headers["ratelimit"]).toBe(`"${limit}";r=0;t=${retryAfter}`);
  expect(headers["ratelimit-policy"]).toBe(`"${limit}";${policy}`);
}
