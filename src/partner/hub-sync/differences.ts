import { hash } from "node:crypto";
import type { HubChannel } from "../../dialog360/partner-channel.ts";
import type { HubDifferenceTable } from "../../store/schema/hub-sync.ts";
import type { PhoneNumberRow } from "../../tenancy/phone-numbers.ts";
import type { Match } from "./match-tenants.ts";

/** Something that is not the same here and at 360dialog. */
export type Difference = Omit<HubDifferenceTable, "sync_id" | "seq" | "applied_at">;

export type ComparedField =
  | "channel_id"
  | "hub_client_id"
  | "waba_id"
  | "display_phone_number"
  | "quality"
  | "messaging_limit"
  | "onboarding_stage";

const ID_LENGTH = 26;

/** Made of what differs: it is the same in every comparison, and another when anything of it has changed. */
function withId(difference: Omit<Difference, "id" | "client_name">, name: string | null) {
  const { kind, channel_id, hub_client_id, number_id, matched_tenant_id } = difference;
  const about = [kind, channel_id, hub_client_id, number_id, matched_tenant_id];
  const what = [difference.rule, difference.field, difference.here, difference.there];
  const digest = hash("sha256", JSON.stringify([...about, ...what]), "hex");
  return { ...difference, client_name: name, id: `dif_${digest.slice(0, ID_LENGTH)}` };
}

const NOTHING = {
  hub_client_id: null,
  number_id: null,
  matched_tenant_id: null,
  rule: null,
  field: null,
  here: null,
  there: null,
};

/** A channel that has no number here, and whose it would be; none of one that has ended. */
export function unknownChannel(channel: HubChannel, match: Match): Difference[] {
  if (channel.terminated) {
    return [];
  }
  const { id: channel_id, hubClientId: hub_client_id } = channel;
  const matched_tenant_id = match.kind === "one" ? match.tenantId : null;
  const rule = match.kind === "none" ? null : match.rule;
  const about = { channel_id, hub_client_id, matched_tenant_id, rule };
  return [
    withId(
      { ...NOTHING, kind: "channel_unknown", ...about, there: channel.displayPhoneNumber },
      channel.clientName,
    ),
  ];
}

/** A number here and the channel that 360dialog has for it; what 360dialog does not say is no difference. */
export function compareNumber(row: PhoneNumberRow, channel: HubChannel | undefined): Difference[] {
  const of = { ...NOTHING, number_id: row.id, channel_id: channel?.id ?? row.channel_id ?? "" };
  if (channel === undefined || channel.terminated) {
    const there = channel === undefined ? null : "terminated";
    return row.onboarding_stage === "cancelled"
      ? []
      : [withId({ ...of, kind: "channel_gone", here: row.onboarding_stage, there }, null)];
  }
  return Object.entries(fieldsOf(row, channel)).flatMap(([field, there]) => {
    const here = row[field as ComparedField];
    return there === null || isSame(field, here, there)
      ? []
      : [
          withId(
            {
              ...of,
              kind: "field_differs",
              hub_client_id: channel.hubClientId,
              field,
              here,
              there,
            },
            channel.clientName,
          ),
        ];
  });
}

function fieldsOf(row: PhoneNumberRow, channel: HubChannel): Record<ComparedField, string | null> {
  return {
    channel_id: channel.id,
    hub_client_id: channel.hubClientId,
    waba_id: channel.wabaId,
    display_phone_number: channel.displayPhoneNumber,
    quality: channel.quality,
    messaging_limit: channel.messagingLimit,
    // A channel does not say that its client has withdrawn a permission, or that it is restricted.
    onboarding_stage:
      row.onboarding_stage === "permission_missing" || row.onboarding_stage === "restricted"
        ? null
        : stageOf(channel),
  };
}

function stageOf({ running, live, status }: HubChannel): "created" | "ready" | "running" | "live" {
  if (running) {
    return live ? "live" : "running";
  }
  return status === "ready" ? "ready" : "created";
}

function isSame(field: string, here: string | null, there: string): boolean {
  return field === "display_phone_number"
    ? here !== null && digitsOf(here) === digitsOf(there)
    : here === there;
}

export const digitsOf = (text: string): string => text.replaceAll(/\D/g, "");
