import type { Client } from "pg";
import { RECORDS_FOLLOWER } from "../../src/records/follow-events.ts";
import { notificationBody } from "./notifications.ts";
import type { HookedTenant } from "./hooked.ts";
import { withClient } from "./stamps.ts";

const ROWS_A_STATEMENT = 50_000;

/**
 * As if all that had come over hours: its events have been followed, the tables are vacuumed and on
 * disk. A server that still does so beside what is measured would be measured with it.
 */
async function settle(client: Client): Promise<void> {
  // In its turn, which the follower takes in a transaction too.
  await client.query("begin");
  await client.query("select pg_advisory_xact_lock(hashtext('follower'), hashtext($1))", [
    RECORDS_FOLLOWER,
  ]);
  await client.query(
    `insert into follower (name, xid, seq)
    select $1, xid, seq from event order by xid desc, seq desc limit 1
    on conflict (name) do update set xid = excluded.xid, seq = excluded.seq`,
    [RECORDS_FOLLOWER],
  );
  await client.query("commit");
  await client.query("vacuum analyze event, delivery");
  await client.query("checkpoint");
}

/**
 * So many deliveries to each of a tenant's endpoints, straight into the tables: due now, or not for a
 * day. Of events that are one message's bytes each time; no two deliveries have the same id.
 */
export async function loadBacklog(
  databaseUrl: string,
  { tenant, events, due }: { tenant: HookedTenant; events: number; due: boolean },
): Promise<void> {
  const [number] = tenant.numbers;
  if (number === undefined) {
    throw new Error("the tenant has no number");
  }
  const body = Buffer.from(notificationBody(number, "wamid.backlog"));
  await withClient(databaseUrl, async (client) => {
    for (let done = 0; done < events; done += ROWS_A_STATEMENT) {
      await client.query(
        `with added as (
          insert into event (tenant_id, id, type, phone_number_id, waba_id, identity,
            notification_id, body)
          select $1, 'evt_' || left(replace(gen_random_uuid()::text, '-', ''), 26),
            'message.received', $2, $3, sha256(gen_random_uuid()::text::bytea), '', $4
          from generate_series(1, $5)
          returning tenant_id, id, xid, seq, identity, received_at
        )
        insert into delivery (tenant_id, event_xid, event_seq, endpoint_id, id, event_id,
          event_received_at, state, next_attempt_at)
        select e.tenant_id, e.xid, e.seq, w,
          'dlv_' || left(encode(sha256(w::bytea || e.identity), 'hex'), 26),
          e.id, e.received_at, 'pending', now() + case when $7 then interval '0' else interval '1 day' end
        from added e, unnest($6::text[]) w`,
        [
          tenant.tenantId,
          number.phoneNumberId,
          number.wabaId,
          body,
          Math.min(ROWS_A_STATEMENT, events - done),
          tenant.endpoints.map(({ id }) => id),
          due,
        ],
      );
    }
    await settle(client);
  });
}
