import type { HubChannel } from "../../dialog360/partner-channel.ts";
import { ApiError } from "../../errors.ts";
import type { OnboardingStage } from "../../store/schema/tenancy.ts";
import type { PhoneNumberRow } from "../../tenancy/phone-numbers.ts";
import { valueOfHubCall } from "../refused-by-hub.ts";
import { decide, type Facts } from "./decide.ts";
import { findNumberOfChannel } from "./find-number.ts";
import { findOwners } from "./owner-of-client.ts";
import { findOnboarding, type OnboardingChannelRow } from "./read-onboardings.ts";
import { bringInNumber, connectNumber, makeKey, type StepDeps } from "./steps.ts";

/** Where a channel has come to, and what keeps it from going on. */
export type Worked = {
  row: OnboardingChannelRow;
  stage: OnboardingStage;
  channel: HubChannel | undefined;
  number: PhoneNumberRow | undefined;
  failure: { code: string; detail: string; passes: boolean } | undefined;
  onUnexpected?: unknown;
};

/** More than there are steps: one that is undone again and again is left for later. */
const STEPS_MAX = 6;

/**
 * Goes on with a channel as far as it will go. Each step leaves in the database what the next one needs, and
 * what is so is read anew before each, so that it may be broken off anywhere.
 * @returns `undefined` for a channel that is gone
 */
export async function workChannel(deps: StepDeps, channelId: string): Promise<Worked | undefined> {
  const { db, partnerApi } = deps;
  await followMove(db, channelId);
  let row = await findOnboarding(db, channelId);
  if (row === undefined) {
    return undefined;
  }
  const worked: Worked = {
    row,
    stage: row.stage,
    channel: undefined,
    number: undefined,
    failure: undefined,
  };
  try {
    const channel = valueOfHubCall(await partnerApi.findChannel(channelId));
    worked.channel = channel;
    let keyRefused = false;
    for (let count = 0; count < STEPS_MAX; count += 1) {
      row = (await findOnboarding(db, channelId)) ?? row;
      const decidedAlone = decide({ ...factsOf(row, channel), number: "none", keyRefused });
      worked.stage = decidedAlone.stage;
      const number = await findNumberOfChannel(db, row);
      worked.number = number;
      const facts = { ...factsOf(row, channel), number: standingOf(row, number), keyRefused };
      const { stage, step } = decide(facts);
      worked.stage = stage;
      worked.failure = failureOf(facts, channelId);
      if (step === "none" || channel === undefined) {
        return worked;
      }
      await refuseForeign(deps, { row, channel });
      if (step === "make_key") {
        keyRefused = (await makeKey(deps, { row, channel })) === "refused";
      } else if (step === "bring_in") {
        await bringInNumber(deps, { row, channel });
      } else if (number !== undefined) {
        await connectNumber(deps, number);
      }
    }
    throw new ApiError("upstream_unreachable", "It does not come to an end; tried again later.");
  } catch (error) {
    const known = error instanceof ApiError;
    worked.failure = {
      code: known ? (error.errors?.[0]?.code ?? error.code) : "internal_error",
      detail: known ? error.message : "It went wrong here; the log tells more.",
      passes: !known || error.code === "upstream_unreachable",
    };
    return known ? worked : { ...worked, onUnexpected: error };
  }
}

function factsOf(
  row: OnboardingChannelRow,
  channel: HubChannel | undefined,
): Pick<Facts, "channel" | "restricted" | "hasKey"> {
  const until = row.restricted_until;
  return {
    channel,
    restricted: until !== null && Number(until) > Date.now(),
    hasKey: row.api_key_sealed !== null,
  };
}

function standingOf(
  row: OnboardingChannelRow,
  number: PhoneNumberRow | undefined,
): Facts["number"] {
  if (number === undefined) {
    return row.number_id === null ? "none" : "removed";
  }
  return number.state === "pending" ? "unconnected" : "connected";
}

function failureOf(facts: Facts, channelId: string): Worked["failure"] {
  if (facts.channel === undefined) {
    const detail = `360dialog shows the partner no channel ${channelId}.`;
    return { code: "not_found", detail, passes: false };
  }
  if (facts.number === "removed") {
    const detail =
      "Its number was deleted here, or has another channel now; retry brings it in again.";
    return { code: "number_removed", detail, passes: false };
  }
  return undefined;
}

/** A number that was moved takes its channel along. */
async function followMove(db: StepDeps["db"], channelId: string): Promise<void> {
  await db
    .updateTable("onboarding_channel as c")
    .from("phone_number as n")
    .set((set) => ({ tenant_id: set.ref("n.tenant_id"), api_key_sealed: null }))
    .where("c.channel_id", "=", channelId)
    .whereRef("n.id", "=", "c.number_id")
    .whereRef("n.channel_id", "=", "c.channel_id")
    .whereRef("n.tenant_id", "<>", "c.tenant_id")
    .execute();
}

/** Nothing is done for a channel whose client is another tenant's by now. */
async function refuseForeign(
  { db }: StepDeps,
  { row, channel }: { row: OnboardingChannelRow; channel: HubChannel },
): Promise<void> {
  const owners = await findOwners(db, {
    hubClientId: channel.hubClientId,
    channelIds: [channel.id],
  });
  if ([...owners].some((owner) => owner !== row.tenant_id)) {
    throw new ApiError("channel_taken", "This channel's client at 360dialog is another tenant's.");
  }
}
