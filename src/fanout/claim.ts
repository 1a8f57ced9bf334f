import { sql } from "kysely";
import type { InOneTrip } from "../store/in-one-trip.ts";
import { type Leased, leaseDue } from "./lease-due.ts";
import { lockOpenEndpoints, type OpenEndpoint, RELEASE_LAPSED } from "./open-endpoints.ts";

/** A delivery under lease, with all that an attempt needs. */
export type ClaimedDelivery = {
  tenant_id: string;
  event_xid: string;
  event_seq: string;
  endpoint_id: string;
  id: string;
  event_id: string;
  attempt_count: number;
  /** How many of them were before it was opened again by hand, and when that was. */
  attempts_before_replay: number | null;
  replayed_at: Date | null;
  conversation: Buffer | null;
  lease_token: string;
  /** By the database's clock, which all processes share and nobody sets. */
  claimed_at: Date;
  /** For how long the endpoint has not been active since the event: so long no horizon ran. */
  stopped_ms: number;
  endpoint: OpenEndpoint;
  type: string;
  phone_number_id: string | null;
  waba_id: string | null;
  received_at: Date;
  body: Buffer;
};

export type ClaimLimits = {
  deliveriesMax: number;
  /** Whose deliveries are looked for; every tenant's if unsaid. */
  tenantIds?: readonly string[];
  /** Whether what dead processes left is made due first; it is unless this says no. */
  lapsed?: boolean;
  /** What this process has under way for each tenant that it has something under way for. */
  underWay?: ReadonlyMap<string, number>;
  /** How many more this process can have under way. */
  room?: number;
};

export type Claimed = {
  deliveries: ClaimedDelivery[];
  /** For whom there may be more, and in how many milliseconds it is worth a look. */
  again: ReadonlyMap<string, number>;
};

// Another process has the endpoint in hand: it may not see what was committed a moment ago.
const WHEN_LOCKED_MS = 10;

// What a crash of the server takes with it is claimed again: at worst it is posted twice, maybe at
// once, which `at least once` allows. Waiting was a fifth of the time from commit to POST.
const NOT_WAITING_FOR_THE_DISK = sql`set local synchronous_commit = off`;

/**
 * Leases up to `deliveriesMax` due deliveries, of each endpoint and tenant in turn. Attempts are
 * counted here, so that a crash is an attempt too. What has lapsed is made due before, by itself.
 * Locking and leasing are two statements, because the second must see what the claim that held an
 * endpoint just before has committed: only then are `max_in_flight` and the rates exact over all
 * processes.
 */
export async function claimDeliveries(inOneTrip: InOneTrip, limits: ClaimLimits): Promise<Claimed> {
  const {
    deliveriesMax,
    tenantIds,
    lapsed = true,
    underWay = new Map(),
    room = deliveriesMax,
  } = limits;
  if (lapsed) {
    await inOneTrip([RELEASE_LAPSED]);
  }
  const [, open, leased] = await inOneTrip<[unknown, OpenEndpoint, Leased]>([
    NOT_WAITING_FOR_THE_DISK,
    lockOpenEndpoints(tenantIds),
    leaseDue({ deliveriesMax, underWay, room }),
  ]);
  const endpoints = new Map(open.map((endpoint) => [endpoint.id, endpoint]));
  const deliveries = leased.flatMap((row) => {
    const endpoint = endpoints.get(row.endpoint_id ?? "");
    return endpoint === undefined ? [] : [{ ...row, endpoint } as ClaimedDelivery];
  });
  const again = new Map(
    open.filter((endpoint) => !endpoint.mine).map(({ tenant_id }) => [tenant_id, WHEN_LOCKED_MS]),
  );
  for (const { tenant_id, again_ms } of leased[0]?.cut ?? []) {
    again.set(tenant_id, Math.min(again_ms, again.get(tenant_id) ?? again_ms));
  }
  return { deliveries, again };
}
