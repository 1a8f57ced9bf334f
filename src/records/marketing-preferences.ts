import { sql } from "kysely";
import type { ApplyEvents, FollowedEvent } from "./follow-events.ts";
import { type Json, objectsIn, timeOf } from "./payload.ts";
import { parseUser } from "./users.ts";

/** Meta's code of a message that failed because the user had stopped marketing messages. */
const USER_STOPPED_MARKETING = 131050;

/**
 * Whether the user's last word on marketing is a stop: no resumption and no opt-in came after it. Of
 * two within one second the stop counts.
 */
export function hasStoppedMarketing(facts: {
  stoppedAt: Date | null;
  resumedAt: Date | null;
  optedInAt: Date | null;
}): boolean {
  const { stoppedAt, resumedAt, optedInAt } = facts;
  return (
    stoppedAt !== null &&
    !(resumedAt !== null && resumedAt > stoppedAt) &&
    !(optedInAt !== null && optedInAt > stoppedAt)
  );
}

type Preference = {
  tenantId: string;
  phoneNumberId: string;
  user: string;
  stoppedAt: Date | null;
  resumedAt: Date | null;
};

/** Keeps the last stop and the last resumption of each user, in whichever order they come. */
export const applyMarketingPreferences: ApplyEvents = async (trx, events) => {
  const newest = new Map<string, Preference>();
  for (const said of events.flatMap(preferencesOf)) {
    const key = JSON.stringify([said.tenantId, said.phoneNumberId, said.user]);
    const known = newest.get(key);
    newest.set(key, {
      ...said,
      stoppedAt: later(said.stoppedAt, known?.stoppedAt ?? null),
      resumedAt: later(said.resumedAt, known?.resumedAt ?? null),
    });
  }
  if (newest.size === 0) {
    return;
  }
  const rows = [...newest.values()];
  await sql`
    insert into marketing_preference as p
      (tenant_id, phone_number_id, user_id, stopped_at, resumed_at)
    select * from unnest(
      ${rows.map((row) => row.tenantId)}::text[], ${rows.map((row) => row.phoneNumberId)}::text[],
      ${rows.map((row) => row.user)}::text[], ${rows.map((row) => row.stoppedAt)}::timestamptz[],
      ${rows.map((row) => row.resumedAt)}::timestamptz[]
    ) as i (tenant_id, phone_number_id, user_id, stopped_at, resumed_at)
    where exists (select from tenant t where t.id = i.tenant_id)
    on conflict (tenant_id, phone_number_id, user_id) do update set
      stopped_at = greatest(p.stopped_at, excluded.stopped_at),
      resumed_at = greatest(p.resumed_at, excluded.resumed_at)`.execute(trx);
};

function later(left: Date | null, right: Date | null): Date | null {
  return left === null || (right !== null && right > left) ? right : left;
}

function preferencesOf(event: FollowedEvent): Preference[] {
  const { type, value } = event;
  switch (type) {
    case "contact.preference_changed":
      return objectsIn(value, "user_preferences")
        .filter((preference) => preference["category"] === "marketing_messages")
        .flatMap((preference) => {
          const users = [preference["wa_id"], preference["user_id"]];
          switch (preference["value"]) {
            case "stop":
              return saidBy(users, event, preference, "stoppedAt");
            // Signing up is how a user who never had a message says yes.
            case "resume":
            case "signup":
              return saidBy(users, event, preference, "resumedAt");
            default:
              return [];
          }
        });
    case "message.status.failed":
      return objectsIn(value, "statuses")
        .filter((status) => status["recipient_type"] !== "group" && isStop(status))
        .flatMap((status) => {
          const users = [status["recipient_id"], status["recipient_user_id"]];
          return saidBy(users, event, status, "stoppedAt");
        });
    default:
      return [];
  }
}

function isStop(status: Json): boolean {
  return objectsIn(status, "errors").some((error) => error["code"] === USER_STOPPED_MARKETING);
}

function saidBy(
  ids: readonly unknown[],
  { tenantId, phoneNumberId, receivedAt }: FollowedEvent,
  item: Json,
  what: "stoppedAt" | "resumedAt",
): Preference[] {
  const users = ids.map(parseUser).filter((user) => user !== undefined);
  return phoneNumberId === null
    ? []
    : users.map((user) => ({
        tenantId,
        phoneNumberId,
        user,
        stoppedAt: null,
        resumedAt: null,
        [what]: timeOf(item["timestamp"], receivedAt),
      }));
}
