import {
  afterAttempt,
  type Condition,
  type ConditionPolicy,
  SOUND,
} from "../../src/fanout/condition.ts";
import { nextAttempt, type RetryPolicy } from "../../src/fanout/schedule.ts";
import { createQueue } from "./queue.ts";

export type Outage = {
  hours: number;
  eventsPerSecond: number;
  /** What the receiver bears afterwards, in any second; the rest it refuses. */
  capacityPerSecond: number;
  refusesWith: 429 | 503;
  latencyMs: number;
  maxInFlight: number;
};

export type Recovery = {
  events: number;
  /** Attempts that delivered nothing. */
  uselessCalls: number;
  /** Minutes after the end of the outage until so much was delivered. */
  halfMinutes: number;
  nearlyAllMinutes: number;
  exhausted: number;
};

type Delivery = { eventMs: number; attempts: number; stoppedMsBefore: number };

/** As a claim gives a paced endpoint its tokens (`fanout/lease-due.ts`). */
const PACE_STEP_SECONDS = 0.05;

/**
 * An endpoint that is down for hours while events go on, and then bears so much and no more. The
 * clock is simulated; what decides is the gateway's own: `afterAttempt` and `nextAttempt`. Without
 * `conditionPolicy` there is no hold, no probe and no ramp: a schedule for each message.
 */
export function simulateRecovery(options: {
  outage: Outage;
  retryPolicy: RetryPolicy;
  conditionPolicy: ConditionPolicy | undefined;
  random: () => number;
}): Recovery {
  const { outage, retryPolicy, conditionPolicy, random } = options;
  const upAtMs = outage.hours * 3_600_000;
  const events = outage.hours * 3600 * outage.eventsPerSecond;
  const everyMs = 1000 / outage.eventsPerSecond;

  const waiting = createQueue<Delivery>();
  const ending = createQueue<{ delivery: Delivery; probe: boolean }>();
  let condition = SOUND;
  let pace = { tokens: 1, atMs: 0 };
  let stopped = { ms: 0, sinceMs: undefined as number | undefined };
  let arrived = 0;
  let lookAtMs = 0;
  const admittedMs: number[] = [];
  const result = { delivered: 0, uselessCalls: 0, exhausted: 0 };
  let halfMs = Number.POSITIVE_INFINITY;
  let nearlyAllMs = Number.POSITIVE_INFINITY;

  const stoppedMs = (nowMs: number): number => stopped.ms + nowMs - (stopped.sinceMs ?? nowMs);

  function take(nowMs: number): "delivered" | "failure" | "busy" | "busy_failure" {
    if (nowMs < upAtMs) {
      return "failure";
    }
    while ((admittedMs[0] ?? nowMs) <= nowMs - 1000) {
      admittedMs.shift();
    }
    if (admittedMs.length < outage.capacityPerSecond) {
      admittedMs.push(nowMs);
      return "delivered";
    }
    return outage.refusesWith === 429 ? "busy" : "busy_failure";
  }

  function end(nowMs: number): void {
    const ended = ending.pop();
    if (ended === undefined) {
      return;
    }
    const { delivery, probe } = ended;
    const answer = take(nowMs);
    if (conditionPolicy !== undefined) {
      const kind = answer === "delivered" ? "success" : answer;
      const before = condition.state;
      condition = afterAttempt(
        condition,
        { kind, retryAfterMs: 0, probe },
        { nowMs, policy: conditionPolicy },
      );
      noteState(before, nowMs);
    }
    if (answer === "delivered") {
      result.delivered++;
      halfMs = result.delivered >= events * 0.5 ? Math.min(halfMs, nowMs) : halfMs;
      nearlyAllMs = result.delivered >= events * 0.99 ? Math.min(nearlyAllMs, nowMs) : nearlyAllMs;
      return;
    }
    result.uselessCalls++;
    const next = nextAttempt({
      attemptNumber: delivery.attempts,
      sinceMs: delivery.eventMs + stoppedMs(nowMs) - delivery.stoppedMsBefore,
      nowMs,
      retryAfterMs: 0,
      policy: retryPolicy,
      random: random(),
    });
    if (next.kind === "exhausted") {
      result.exhausted++;
    } else {
      waiting.push(next.atMs, delivery);
    }
  }

  function noteState(before: Condition["state"], nowMs: number): void {
    if (before === "active" && condition.state !== "active") {
      stopped = { ...stopped, sinceMs: nowMs };
    } else if (before !== "active" && condition.state === "active") {
      stopped = { ms: stoppedMs(nowMs), sinceMs: undefined };
    }
  }

  /** How many may be started now, and when it is worth another look. */
  function look(nowMs: number): { slots: number; againMs: number } {
    const { state, probeAtMs, notBeforeMs, rampPerSecond } = condition;
    const free = outage.maxInFlight - ending.size();
    if (state === "held") {
      const due = probeAtMs !== null && probeAtMs <= nowMs;
      return { slots: due && ending.size() === 0 ? 1 : 0, againMs: probeAtMs ?? nowMs + 1000 };
    }
    if (state !== "active") {
      return { slots: 0, againMs: Number.POSITIVE_INFINITY };
    }
    if (notBeforeMs !== null && notBeforeMs > nowMs) {
      return { slots: 0, againMs: notBeforeMs };
    }
    if (rampPerSecond === null) {
      return { slots: free, againMs: waiting.firstMs() };
    }
    const most = Math.max(1, rampPerSecond * PACE_STEP_SECONDS);
    const gained = (rampPerSecond * (nowMs - pace.atMs)) / 1000;
    pace = { tokens: Math.min(most, pace.tokens + gained), atMs: nowMs };
    const stepMs = Math.max(PACE_STEP_SECONDS, 1 / rampPerSecond) * 1000;
    return {
      slots: Math.min(free, Math.floor(pace.tokens)),
      againMs: Math.max(waiting.firstMs(), nowMs + stepMs),
    };
  }

  function claim(nowMs: number): void {
    const { slots, againMs } = look(nowMs);
    const probe = condition.state === "held";
    for (let left = slots; left > 0; left--) {
      // A held endpoint's schedule does not keep its probe waiting.
      const delivery = probe || waiting.firstMs() <= nowMs ? waiting.pop() : undefined;
      if (delivery === undefined) {
        break;
      }
      delivery.attempts++;
      pace.tokens -= condition.rampPerSecond === null ? 0 : 1;
      ending.push(nowMs + outage.latencyMs, { delivery, probe });
    }
    lookAtMs = againMs > nowMs ? againMs : Number.POSITIVE_INFINITY;
  }

  while (result.delivered + result.exhausted < events) {
    const arrivalMs = arrived < events ? arrived * everyMs : Number.POSITIVE_INFINITY;
    const nowMs = Math.min(arrivalMs, ending.firstMs(), lookAtMs);
    if (nowMs === Number.POSITIVE_INFINITY) {
      throw new Error("nothing will ever happen again, and not everything is delivered");
    }
    if (nowMs === arrivalMs) {
      arrived++;
      waiting.push(nowMs, { eventMs: nowMs, attempts: 0, stoppedMsBefore: stoppedMs(nowMs) });
    } else if (nowMs === ending.firstMs()) {
      end(nowMs);
    }
    claim(nowMs);
  }
  const minutesAfter = (atMs: number): number => (atMs - upAtMs) / 60_000;
  return {
    events,
    uselessCalls: result.uselessCalls,
    halfMinutes: minutesAfter(halfMs),
    nearlyAllMinutes: minutesAfter(nearlyAllMs),
    exhausted: result.exhausted,
  };
}
