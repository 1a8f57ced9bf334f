import type { Schemas } from "../http/contract-types.ts";
import type { OutboundResult } from "../outbound/exchange.ts";
import { explainResult } from "./explain-result.ts";

type Check = Schemas["WebhookFitnessCheck"];
type Grade = Schemas["WebhookFitnessGrade"];

// What 360dialog asks of receivers: a median of 250 ms, and 99 of 100 answers within a second.
const MEDIAN_MS = 250;
const SLOW_MS = 1_000;
const SLOW_SHARE_MAX = 0.01;
const SLOW_SHARE_BAD = 0.1;

/** The worst one. */
export function gradeAll(checks: readonly Check[]): Grade {
  return (["fail", "warn"] as const).find((grade) => has(checks, grade)) ?? "pass";
}

export function gradeReached(result: OutboundResult): Check {
  return check("reached", result.kind === "answer" ? "pass" : "fail", explainResult(result));
}

/** Pure: a request without an answer counts with the time that was waited for it. */
export function gradeSpeed(results: readonly OutboundResult[]): Check[] {
  const times = results.map(({ durationMs }) => durationMs).toSorted((a, b) => a - b);
  const medianMs = times[Math.floor(times.length / 2)] ?? 0;
  const slow = times.filter((ms) => ms > SLOW_MS).length;
  const share = slow / Math.max(1, times.length);
  const [fast, quick] = [
    medianMs <= MEDIAN_MS ? "pass" : medianMs <= SLOW_MS ? "warn" : "fail",
    share <= SLOW_SHARE_MAX ? "pass" : share <= SLOW_SHARE_BAD ? "warn" : "fail",
  ] as const;
  return [
    check(
      "median_time",
      fast,
      `Half of ${times.length} answers came within ${medianMs} ms; ${MEDIAN_MS} ms are asked for.`,
    ),
    check(
      "slow_share",
      quick,
      `${slow} of ${times.length} answers took over a second; 1 of 100 may.`,
    ),
  ];
}

export function gradeSuccess(results: readonly OutboundResult[]): Check {
  const failed = results.filter((result) => !isSuccess(result));
  const [first] = failed;
  return first === undefined
    ? check("answers_2xx", "pass", `All ${results.length} were answered 2xx.`)
    : check(
        "answers_2xx",
        "fail",
        `${failed.length} of ${results.length} were not answered 2xx: ${explainResult(first)}`,
      );
}

export function gradeDuplicate(results: readonly OutboundResult[]): Check {
  const wrong = results.find((result) => !isSuccess(result));
  return wrong === undefined
    ? check("duplicate", "pass", "The same webhook-id was answered 2xx twice.")
    : check(
        "duplicate",
        "fail",
        `Of the same webhook-id twice one failed: ${explainResult(wrong)}`,
      );
}

export function gradeWrongSignature(result: OutboundResult): Check {
  if (isSuccess(result)) {
    const detail = "A wrong signature was answered 2xx: anybody could send such events.";
    return check("wrong_signature", "fail", detail);
  }
  const refused = result.kind === "answer" && result.status >= 400 && result.status <= 499;
  const told = explainResult(result);
  return refused
    ? check("wrong_signature", "pass", `A wrong signature was refused. ${told}`)
    : check("wrong_signature", "warn", `A wrong signature should be refused by a 4xx. ${told}`);
}

export function gradeLarge(result: OutboundResult): Check {
  return isSuccess(result)
    ? check("large_body", "pass", "A body of 3 MiB was answered 2xx.")
    : check("large_body", "fail", `A body of 3 MiB was not taken. ${explainResult(result)}`);
}

function check(code: Check["code"], result: Grade, detail: string): Check {
  return { code, result, detail };
}

function has(checks: readonly Check[], grade: Grade): boolean {
  return checks.some(({ result }) => result === grade);
}

function isSuccess(result: OutboundResult): boolean {
  return result.kind === "answer" && result.status >= 200 && result.status <= 299;
}
