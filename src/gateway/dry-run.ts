import { ApiError } from "../errors.ts";
import type { DirectoryNumber } from "../tenancy/directory.ts";
import { writeAnswer } from "./answer.ts";
import type { Guards } from "./guards/create-guards.ts";
import { usableKey } from "./number-key.ts";
import { guardedSend, type Sending } from "./sending.ts";
import type { Refusal } from "./throttle/refusal.ts";
import type { Throttle } from "./throttle/throttle.ts";

export type AnswerDryRun = (sending: Sending) => Promise<void>;

type Check = { code: string; result: "pass" | "refuse" | "unknown"; detail: string };

/**
 * `?dry_run=true`: what the gateway would say to this send, and nothing sent or counted. Every guard
 * is asked, also one that is off; a send that only `unknown` stands against would be sent.
 */
export function createAnswerDryRun(options: {
  guards: Guards;
  throttle: Pick<Throttle, "peekSend">;
}): AnswerDryRun {
  const { guards, throttle } = options;
  return async (sending) => {
    const { call, identified, read } = sending;
    const inspected = await guards.inspect(guardedSend(sending));
    const checks: Check[] = [
      ...inspected.map(({ code, result, detail }) => ({ code, result, detail })),
      limitCheck(throttle.peekSend(identified.number, read.user)),
      ...numberChecks(identified.number),
    ];
    const verdict = checks.some(({ result }) => result === "refuse") ? "refuse" : "send";
    writeAnswer(call, {
      status: 200,
      headers: { "content-type": "application/json; charset=utf-8" },
      body: Buffer.from(JSON.stringify({ verdict, checks })),
    });
  };
}

/** A number that cannot send at all refuses with what a send would be answered. */
function numberChecks(number: DirectoryNumber): Check[] {
  try {
    usableKey(number);
    return [];
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    return [{ code: error.code, result: "refuse", detail: error.message }];
  }
}

function limitCheck(refusal: Refusal | undefined): Check {
  return refusal === undefined
    ? { code: "rate_limited", result: "pass", detail: "Number and user are within their limits." }
    : {
        code: "rate_limited",
        result: "refuse",
        detail: `The limit of the ${refusal.limit} is reached; it opens in ${refusal.retryAfterSeconds} s.`,
      };
}
