import { type RawBuilder, sql } from "kysely";
import { textArray } from "../store/array-literal.ts";
import { prepared } from "../store/pooled-client.ts";
import type { WebhookEndpointFormat } from "../store/schema/fanout.ts";

/** An endpoint (`e`) that may be given something now; a held one, its probe. */
const IS_OPEN = sql<boolean>`(
  e.state = 'active' and (e.not_before is null or e.not_before <= now())
  or e.state = 'held' and e.probe_at <= now())`;

/** Until when a delivery of `e` must have been due: the schedule does not keep a probe waiting. */
const DUE_UNTIL = sql<Date>`case e.state when 'held' then 'infinity'::timestamptz else now() end`;

/**
 * Each endpoint with something pending, and its first. Walks the endpoints, not the queue: a loose
 * index scan, which one endpoint's backlog does not make longer.
 */
const WAITING = sql`
  waiting (endpoint_id, next_attempt_at) as (
    (select endpoint_id, next_attempt_at from delivery
      where state = 'pending' order by endpoint_id, next_attempt_at limit 1)
    union all
    select n.endpoint_id, n.next_attempt_at from waiting w, lateral (
      select endpoint_id, next_attempt_at from delivery
      where state = 'pending' and endpoint_id > w.endpoint_id
      order by endpoint_id, next_attempt_at limit 1
    ) n)`;

/** The tenants for whom a claim is worth a try: something is due, or a process died with it. */
export const DUE_TENANTS = sql<string[]>`
  with recursive ${WAITING}, due as (
    select e.tenant_id from webhook_endpoint e join waiting w on w.endpoint_id = e.id
    where ${IS_OPEN} and w.next_attempt_at <= ${DUE_UNTIL}
    union
    select tenant_id from delivery where state = 'delivering' and lease_until < now())
  select coalesce(json_agg(tenant_id), '[]') from due`;

/**
 * What is left of a lease that has run out (a process died with it) is due again, at once. What
 * another transaction has in hand is left to it: to wait for one row while holding others would be
 * a deadlock beside a claim, which takes the same rows in another order.
 */
export const RELEASE_LAPSED = sql`
  ${prepared("release_lapsed")}
  with lapsed as materialized (
    select ctid from delivery where state = 'delivering' and lease_until < now()
    for no key update skip locked)
  update delivery d set state = 'pending', next_attempt_at = now(),
    lease_token = null, lease_until = null
  from lapsed where d.ctid = lapsed.ctid`;

/** What a transaction has locked, for its statements after that: ids as a `text[]`. */
export const LOCKED_ENDPOINTS = sql<string[]>`
  string_to_array(current_setting('waba_gateway.locked_endpoints', true), ',')`;

/** An open endpoint that something is due for, with what an attempt needs to know of it. */
export type OpenEndpoint = {
  id: string;
  tenant_id: string;
  url: string;
  headers_sealed: Buffer | null;
  signing_secret_sealed: Buffer;
  /** Null as soon as it no longer counts. */
  previous_signing_secret_sealed: Buffer | null;
  format: WebhookEndpointFormat;
  timeout_seconds: number;
  /** A held one is given a probe. */
  held: boolean;
  /** It has failed of late or is given less than it could take: a success changes it. */
  troubled: boolean;
  /** Not where another claim has it in hand. */
  mine: boolean;
};

/**
 * Locks the open endpoints that something is due for, of these tenants or of all, and keeps which
 * in `LOCKED_ENDPOINTS` until the transaction ends.
 */
export function lockOpenEndpoints(
  tenantIds: readonly string[] | undefined,
): RawBuilder<OpenEndpoint> {
  const wanted =
    tenantIds === undefined
      ? sql`
        select e.id from webhook_endpoint e join waiting w on w.endpoint_id = e.id
        where ${IS_OPEN} and w.next_attempt_at <= ${DUE_UNTIL}`
      : sql`
        select e.id from webhook_endpoint e
        where e.tenant_id = any (${textArray(tenantIds)}::text[]) and ${IS_OPEN} and exists (
          select 1 from delivery d where d.endpoint_id = e.id and d.state = 'pending'
            and d.next_attempt_at <= ${DUE_UNTIL})`;
  return sql<OpenEndpoint>`
    ${prepared(tenantIds === undefined ? "lock_open_endpoints" : "lock_open_endpoints_of_tenants")}
    with recursive ${WAITING}, wanted as materialized (${wanted}),
    locked as materialized (
      select e.id from webhook_endpoint e where e.id in (select id from wanted)
      for no key update skip locked),
    kept as materialized (
      select set_config('waba_gateway.locked_endpoints', coalesce(string_agg(id, ','), ''), true)
      from locked)
    select e.id, e.tenant_id, e.url, e.headers_sealed, e.signing_secret_sealed,
      case when e.previous_signing_secret_until > now()
        then e.previous_signing_secret_sealed end as previous_signing_secret_sealed,
      e.format, e.timeout_seconds, e.state = 'held' as held,
      e.state = 'held' or e.failure_count > 0 or e.ramp_per_second is not null
        or e.not_before is not null as troubled,
      l.id is not null as mine
    from kept, wanted w join webhook_endpoint e on e.id = w.id
    left join locked l on l.id = w.id`;
}
