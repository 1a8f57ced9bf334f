import { sql } from "kysely";
import type { Database } from "../store/database.ts";
import { mayBeUnread } from "./unread-events.ts";
import { formsOf } from "./users.ts";
import { OPENS_WINDOW } from "./windows.ts";

/** All that is known of a send before it is made; `null` is what is not known. */
export type SendFacts = {
  watchedSince: Date | null;
  lastInboundAt: Date | null;
  optedInAt: Date | null;
  stoppedAt: Date | null;
  resumedAt: Date | null;
  template: { status: string | null; category: string | null } | null;
  /** When all templates of the WABA were last here. */
  templatesSyncedAt: Date | null;
  /** No message of the user is known to hold a window open, but one may be that is not read yet. */
  mayHaveWritten: boolean;
};

export const NOTHING_KNOWN: SendFacts = {
  watchedSince: null,
  lastInboundAt: null,
  optedInAt: null,
  stoppedAt: null,
  resumedAt: null,
  template: null,
  templatesSyncedAt: null,
  mayHaveWritten: false,
};

/**
 * In one statement, and each part of it by a key: this is what a guard costs a send. Facts follow
 * events a moment behind, and a user's message may be answered within it.
 */
export async function findSendFacts(
  db: Database,
  tenantId: string,
  options: {
    numberId: string;
    phoneNumberId: string;
    wabaId: string | null;
    users: readonly string[];
    template: { name: string; language: string } | undefined;
  },
): Promise<SendFacts> {
  const { numberId, phoneNumberId, wabaId, template } = options;
  const users = options.users.flatMap(formsOf);
  const ofUser = sql`tenant_id = ${tenantId} and phone_number_id = ${phoneNumberId}
    and user_id = any (${users}::text[])`;
  const ofWaba = sql`tenant_id = ${tenantId} and waba_id = ${wabaId}`;
  const { rows } = await sql<Omit<SendFacts, "template"> & SendFactsTemplate>`
    select
      (select watched_since from phone_number where id = ${numberId} and tenant_id = ${tenantId})
        as "watchedSince",
      w.last_inbound_at as "lastInboundAt",
      case when w.last_inbound_at > now() - interval '24 hours' then false
        else ${mayBeUnread({ tenantId, phoneNumberId, types: OPENS_WINDOW, texts: users })}
      end as "mayHaveWritten",
      (select max(obtained_at) from opt_in where ${ofUser}) as "optedInAt",
      p.stopped_at as "stoppedAt", p.resumed_at as "resumedAt",
      (select synced_at from template_sync where ${ofWaba}) as "templatesSyncedAt",
      t.name is not null as "templateKnown", t.status, t.category
    from (select max(stopped_at) as stopped_at, max(resumed_at) as resumed_at
      from marketing_preference where ${ofUser}) p
    cross join (select max(last_inbound_at) as last_inbound_at
      from customer_service_window where ${ofUser}) w
    left join template t on ${ofWaba}
      and t.name = ${template?.name ?? null} and t.language = ${template?.language ?? null}
  `.execute(db);
  const [row] = rows;
  if (row === undefined) {
    return NOTHING_KNOWN;
  }
  const { templateKnown, status, category, ...facts } = row;
  return { ...facts, template: templateKnown ? { status, category } : null };
}

type SendFactsTemplate = { templateKnown: boolean; status: string | null; category: string | null };
