import type { HubChannel } from "../../dialog360/partner-channel.ts";
import type { OnboardingStage } from "../../store/schema/tenancy.ts";

/** How a channel stands, there and here; none of it is what an event said, so that their order is nothing. */
export type Facts = {
  /** As 360dialog has it now; `undefined` where it shows the partner no such channel. */
  channel: Pick<HubChannel, "status" | "running" | "live" | "terminated" | "rejected"> | undefined;
  /** Whether a restriction holds that Meta told of. */
  restricted: boolean;
  /** Whether 360dialog has just refused to make a key, because the client has not agreed. */
  keyRefused: boolean;
  /** The number here; `removed` if there was one and somebody took it away. */
  number: "none" | "unconnected" | "connected" | "removed";
  /** Whether a key waits for the number's row. */
  hasKey: boolean;
};

export type Step = "make_key" | "bring_in" | "connect" | "none";

/** In which stage a channel is, and what is to be done next. */
export function decide(facts: Facts): { stage: OnboardingStage; step: Step } {
  const { channel, number } = facts;
  if (channel === undefined) {
    return { stage: "linked", step: "none" };
  }
  if (channel.terminated) {
    return { stage: "cancelled", step: "none" };
  }
  if (channel.rejected || facts.restricted) {
    return { stage: "restricted", step: "none" };
  }
  if (!channel.running) {
    return { stage: channel.status === "ready" ? "ready" : "created", step: "none" };
  }
  switch (number) {
    case "connected":
      return { stage: channel.live ? "live" : "running", step: "none" };
    case "unconnected":
      return { stage: "ready", step: "connect" };
    case "removed":
      return { stage: "ready", step: "none" };
    case "none":
      return facts.keyRefused
        ? { stage: "permission_missing", step: "none" }
        : { stage: "ready", step: facts.hasKey ? "bring_in" : "make_key" };
    default:
      return number satisfies never;
  }
}

const HOUR_SECONDS = 3600;

/** In how many seconds to look again by itself, for what no event told; `null` for what is at its end. */
export function lookAgainAfter(stage: OnboardingStage): number | null {
  switch (stage) {
    case "live":
    case "cancelled":
      return null;
    case "running":
      return 24 * HOUR_SECONDS;
    case "linked":
    case "created":
    case "ready":
    case "permission_missing":
    case "restricted":
      return HOUR_SECONDS;
    default:
      return stage satisfies never;
  }
}

/** After trouble that passes: 2 s, 4 s, 8 s … up to an hour. */
export function retryAfter(attemptCount: number): number {
  return Math.min(2 ** Math.min(attemptCount, 12), HOUR_SECONDS);
}
