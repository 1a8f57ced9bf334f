import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "../store/database.ts";
import type { WebhookEndpointFormat } from "../store/schema/fanout.ts";

/** A delivery under lease, with all that an attempt needs. */
export type ClaimedDelivery = {
  tenant_id: string;
  event_xid: string;
  event_seq: string;
  endpoint_id: string;
  id: string;
  event_id: string;
  attempt_count: number;
  lease_token: string;
  url: string;
  headers_sealed: Buffer | null;
  signing_secret_sealed: Buffer;
  format: WebhookEndpointFormat;
  timeout_seconds: number;
  type: string;
  phone_number_id: string | null;
  waba_id: string | null;
  received_at: Date;
  body: Buffer;
};

// The attempt's own deadline comes first; the rest is for settling it.
const LEASE_MARGIN_SECONDS = 10;

/**
 * Leases up to `deliveriesMax` due deliveries. Attempts are counted here, so that a crash is an
 * attempt too. Two statements, because the second must see what the claim that held an endpoint
 * just before has committed: only then is `max_in_flight` exact over all processes.
 */
export async function claimDeliveries(
  db: Database,
  options: { deliveriesMax: number },
): Promise<ClaimedDelivery[]> {
  return db.transaction().execute(async (trx) => {
    const endpointIds = await lockOpenEndpoints(trx);
    return endpointIds.length === 0 ? [] : leaseDue(trx, { ...options, endpointIds });
  });
}

/**
 * Takes the open endpoints that something waits for and that no other claim has in hand. Walks the
 * endpoints, not the queue: a loose index scan finds each one with something pending, so that one
 * endpoint's backlog hides no other's deliveries. What is left of a lease that has run out (a
 * process died with it) is due again, at once.
 */
async function lockOpenEndpoints(trx: DatabaseTransaction): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with recursive lapsed as (
      update delivery set state = 'pending', next_attempt_at = now(),
        lease_token = null, lease_until = null
      where state = 'delivering' and lease_until < now()
      returning endpoint_id
    ), waiting (endpoint_id) as (
      (select endpoint_id from delivery where state = 'pending' order by endpoint_id limit 1)
      union all
      select (
        select d.endpoint_id from delivery d
        where d.state = 'pending' and d.endpoint_id > w.endpoint_id
        order by d.endpoint_id limit 1
      ) from waiting w where w.endpoint_id is not null
    )
    select e.id from webhook_endpoint e
    where e.state = 'active' and (
      e.id in (select endpoint_id from lapsed)
      or e.id in (select endpoint_id from waiting) and exists (
        select 1 from delivery d
        where d.endpoint_id = e.id and d.state = 'pending' and d.next_attempt_at <= now()))
    for no key update of e skip locked
  `.execute(trx);
  return rows.map(({ id }) => id);
}

async function leaseDue(
  trx: DatabaseTransaction,
  options: { deliveriesMax: number; endpointIds: string[] },
): Promise<ClaimedDelivery[]> {
  const { deliveriesMax, endpointIds } = options;
  const { rows } = await sql<ClaimedDelivery>`
    with open_endpoint as materialized (
      select e.id, e.timeout_seconds, e.max_in_flight - (
        select count(*) from delivery f where f.endpoint_id = e.id and f.state = 'delivering'
      ) as free_slots
      from webhook_endpoint e where e.id = any (${endpointIds}::text[])
    ), due as materialized (
      select d.* from (select * from open_endpoint where free_slots > 0 order by random()) o,
      lateral (
        select tenant_id, event_xid, event_seq, endpoint_id, o.timeout_seconds
        from delivery
        where endpoint_id = o.id and state = 'pending' and next_attempt_at <= now()
        order by next_attempt_at limit o.free_slots
        for update skip locked
      ) d
      limit ${deliveriesMax}
    ), claimed as (
      update delivery d set state = 'delivering', attempt_count = d.attempt_count + 1,
        lease_token = ${randomUUID()}::uuid,
        lease_until = clock_timestamp()
          + make_interval(secs => due.timeout_seconds + ${LEASE_MARGIN_SECONDS})
      from due
      where d.tenant_id = due.tenant_id and d.event_xid = due.event_xid
        and d.event_seq = due.event_seq and d.endpoint_id = due.endpoint_id
      returning d.*
    )
    select c.tenant_id, c.event_xid, c.event_seq, c.endpoint_id, c.id, c.event_id, c.attempt_count,
      c.lease_token, w.url, w.headers_sealed, w.signing_secret_sealed, w.format, w.timeout_seconds,
      e.type, e.phone_number_id, e.waba_id, e.received_at, e.body
    from claimed c
    join webhook_endpoint w on w.id = c.endpoint_id
    join event e on e.tenant_id = c.tenant_id and e.id = c.event_id
      and e.received_at = c.event_received_at
  `.execute(trx);
  return rows;
}
