import type { WebhookEndpointState } from "../store/schema/fanout.ts";

/** When an endpoint is held, probed and disabled. */
export type ConditionPolicy = {
  /** Failures in a row. */
  holdAfter: number;
  /** To the first probe; doubled from probe to probe, to five minutes. */
  probeEveryMs: number;
  /** How long it may fail without a success between. */
  disableAfterMs: number;
};

/** How an endpoint is as a whole; times are milliseconds of the epoch. */
export type Condition = {
  state: WebhookEndpointState;
  failureCount: number;
  failingSinceMs: number | null;
  probeAtMs: number | null;
  probeCount: number;
  notBeforeMs: number | null;
  rampPerSecond: number | null;
  /** When it last complained; from then on the ramp rises by a step and not by doubling. */
  rampSlowedAtMs: number | null;
};

/** Of an endpoint that nothing is wrong with. */
export const SOUND: Condition = {
  state: "active",
  failureCount: 0,
  failingSinceMs: null,
  probeAtMs: null,
  probeCount: 0,
  notBeforeMs: null,
  rampPerSecond: null,
  rampSlowedAtMs: null,
};

/** What one attempt says of its endpoint. */
export type Sign = {
  kind: "success" | "failure" | "busy" | "busy_failure" | "gone";
  /** Zero where it did not ask for a pause. */
  retryAfterMs: number;
  /** Whether it was the one attempt that a held endpoint is given. */
  probe: boolean;
};

export const RAMP_START_PER_SECOND = 5;
const RAMP_DONE_PER_SECOND = 1000;
const RAMP_FLOOR_PER_SECOND = 0.2;
const SLOWED_TO = 0.9;
const STEP_PER_SECOND = 2;
const STEP_SHARE = 0.02;
// Calls under way when the first complaint came complain too, and mean no second one.
const COMPLAINT_COUNTS_FOR_MS = 1000;
const PROBE_EVERY_MAX_MS = 300_000;

/**
 * What an attempt makes of its endpoint. An endpoint that keeps failing is held; a held one is given
 * one attempt at a time, and the first success sets it going again: slowly, doubling from second to
 * second until it complains, then a tenth less and rising by steps (as TCP finds its rate; RFC 5681).
 */
export function afterAttempt(
  before: Condition,
  sign: Sign,
  { nowMs, policy }: { nowMs: number; policy: ConditionPolicy },
): Condition {
  if (before.state === "paused" || before.state === "disabled") {
    return before;
  }
  switch (sign.kind) {
    case "success":
      return afterSuccess(before, nowMs);
    case "gone":
      return disabled(before);
    case "busy":
      return before.state === "held"
        ? afterProbe(afterPause(before, sign, nowMs), sign, { nowMs, policy })
        : slowed(before, sign, nowMs);
    case "busy_failure":
      return afterFailure(slowed(before, sign, nowMs), sign, { nowMs, policy });
    case "failure":
      return afterFailure(
        before.rampPerSecond === null ? before : slowed(before, sign, nowMs),
        sign,
        { nowMs, policy },
      );
    default:
      return sign.kind satisfies never;
  }
}

function afterSuccess(before: Condition, nowMs: number): Condition {
  const sound: Condition = {
    ...before,
    state: "active",
    failureCount: 0,
    failingSinceMs: null,
    probeAtMs: null,
    probeCount: 0,
    // A call that was under way ends no pause that was asked for since.
    notBeforeMs:
      before.notBeforeMs !== null && before.notBeforeMs > nowMs ? before.notBeforeMs : null,
  };
  if (before.state === "held") {
    return { ...sound, rampPerSecond: RAMP_START_PER_SECOND, rampSlowedAtMs: null };
  }
  return { ...sound, ...raised(before) };
}

/** Each success raises the ramp by one, which at full use doubles it in a second; after a complaint by a step. */
function raised({
  rampPerSecond,
  rampSlowedAtMs,
}: Condition): Pick<Condition, "rampPerSecond" | "rampSlowedAtMs"> {
  if (rampPerSecond === null) {
    return { rampPerSecond, rampSlowedAtMs };
  }
  const step = Math.max(STEP_PER_SECOND, STEP_SHARE * rampPerSecond) / rampPerSecond;
  const next = rampPerSecond + (rampSlowedAtMs === null ? 1 : Math.min(1, step));
  return next < RAMP_DONE_PER_SECOND
    ? { rampPerSecond: next, rampSlowedAtMs }
    : { rampPerSecond: null, rampSlowedAtMs: null };
}

function afterPause(before: Condition, { retryAfterMs }: Sign, nowMs: number): Condition {
  return retryAfterMs === 0
    ? before
    : { ...before, notBeforeMs: Math.max(before.notBeforeMs ?? 0, nowMs + retryAfterMs) };
}

function slowed(before: Condition, sign: Sign, nowMs: number): Condition {
  const condition = afterPause(before, sign, nowMs);
  const { rampPerSecond, rampSlowedAtMs } = before;
  if (before.notBeforeMs !== null && nowMs < before.notBeforeMs) {
    return condition;
  }
  if (rampPerSecond === null) {
    const notBeforeMs = Math.max(condition.notBeforeMs ?? 0, nowMs + COMPLAINT_COUNTS_FOR_MS);
    return { ...condition, notBeforeMs, rampPerSecond: RAMP_START_PER_SECOND };
  }
  if (rampSlowedAtMs !== null && nowMs < rampSlowedAtMs + COMPLAINT_COUNTS_FOR_MS) {
    return condition;
  }
  const perSecond = Math.max(RAMP_FLOOR_PER_SECOND, rampPerSecond * SLOWED_TO);
  return { ...condition, rampPerSecond: perSecond, rampSlowedAtMs: nowMs };
}

function afterFailure(
  before: Condition,
  sign: Sign,
  { nowMs, policy }: { nowMs: number; policy: ConditionPolicy },
): Condition {
  const failingSinceMs = before.failingSinceMs ?? nowMs;
  const failed = { ...before, failureCount: before.failureCount + 1, failingSinceMs };
  if (nowMs - failingSinceMs >= policy.disableAfterMs) {
    return disabled(failed);
  }
  if (failed.state === "held") {
    return afterProbe(failed, sign, { nowMs, policy });
  }
  if (failed.failureCount < policy.holdAfter) {
    return failed;
  }
  const probeAtMs = Math.max(nowMs + policy.probeEveryMs, failed.notBeforeMs ?? 0);
  return { ...failed, state: "held", probeAtMs, probeCount: 0, ...NO_RAMP };
}

/** What was under way when the endpoint was held says nothing new; only a probe in vain does. */
function afterProbe(
  held: Condition,
  sign: Sign,
  { nowMs, policy }: { nowMs: number; policy: ConditionPolicy },
): Condition {
  if (!sign.probe) {
    return held;
  }
  const probeCount = held.probeCount + 1;
  const everyMs = Math.min(
    policy.probeEveryMs * 2 ** probeCount,
    Math.max(PROBE_EVERY_MAX_MS, policy.probeEveryMs),
  );
  return { ...held, probeCount, probeAtMs: Math.max(nowMs + everyMs, held.notBeforeMs ?? 0) };
}

const NO_RAMP = { rampPerSecond: null, rampSlowedAtMs: null };

function disabled(before: Condition): Condition {
  return { ...before, state: "disabled", probeAtMs: null, ...NO_RAMP };
}
