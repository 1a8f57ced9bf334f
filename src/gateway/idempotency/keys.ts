import { sql } from "kysely";
import type { Database } from "../../store/database.ts";

/** The right to make the send under a key; the send's own id tells it from later ones. */
export type Lease = {
  tenantId: string;
  numberId: string;
  operation: string;
  keySha256: Buffer;
  messageId: string;
};

/** What a key stands for after it was asked for. */
export type KeyRow = {
  message_id: string;
  request_sha256: Buffer;
  state: "running" | "answered" | "unknown";
  answer_sealed: Buffer | null;
};

/**
 * Takes the key, or says who has it, in one statement. A key whose 24 hours are over is taken like
 * a new one. A lease that has lapsed is made `unknown` here, where it is first seen: what is told
 * of a key from then on does not change, whatever its send still comes to.
 */
export async function takeKey(
  db: Database,
  lease: Lease,
  options: { requestSha256: Buffer; leaseMs: number },
): Promise<KeyRow> {
  const { rows } = await sql<KeyRow>`
    insert into idempotency_key as k
      (tenant_id, number_id, operation, key_sha256, request_sha256, message_id, lease_until)
    values (${lease.tenantId}, ${lease.numberId}, ${lease.operation}, ${lease.keySha256},
      ${options.requestSha256}, ${lease.messageId}, now() + ${options.leaseMs} * interval '1 ms')
    on conflict (tenant_id, number_id, operation, key_sha256) do update set
      (request_sha256, message_id, lease_until, state, answer_sealed) = (
        select excluded.request_sha256, excluded.message_id, excluded.lease_until, 'running', null
        where k.lease_until <= now() - interval '24 hours'
        union all
        select k.request_sha256, k.message_id, k.lease_until,
          case when k.state = 'running' and k.lease_until <= now() then 'unknown' else k.state end,
          k.answer_sealed
        where k.lease_until > now() - interval '24 hours')
    returning message_id, request_sha256, state, answer_sealed
  `.execute(db);
  const [row] = rows;
  if (row === undefined) {
    throw new Error("an upsert without a condition gave no row");
  }
  return row;
}

/** Ends the send under a key with what came of it, unless it has been told to be unknown. */
export async function settleKey(
  db: Database,
  lease: Lease,
  outcome: { state: "answered"; sealed: Buffer } | { state: "unknown" },
): Promise<void> {
  await sql`
    update idempotency_key
    set state = ${outcome.state},
      answer_sealed = ${outcome.state === "answered" ? outcome.sealed : null}
    where ${isUnder(lease)}
  `.execute(db);
}

/** Gives a key back as if it had never been used, unless its send has been told to be unknown. */
export async function releaseKey(db: Database, lease: Lease): Promise<void> {
  await sql`delete from idempotency_key where ${isUnder(lease)}`.execute(db);
}

const isUnder = (lease: Lease) => sql`
  tenant_id = ${lease.tenantId} and number_id = ${lease.numberId}
  and operation = ${lease.operation} and key_sha256 = ${lease.keySha256}
  and message_id = ${lease.messageId} and state = 'running'`;

const PRUNE_AT_ONCE = 5000;
const PRUNE_STATEMENTS_MAX = 200;

/**
 * Forgets keys whose 24 hours are over; called once an hour. Bounded: at most a million a call, in
 * statements that each stay far below the time that one may take.
 */
export async function pruneIdempotencyKeys(db: Database): Promise<void> {
  for (let statements = 0; statements < PRUNE_STATEMENTS_MAX; statements++) {
    // A row that is locked is being taken again, or pruned by another process.
    const { numAffectedRows } = await sql`
      delete from idempotency_key where ctid = any(array(
        select ctid from idempotency_key where lease_until <= now() - interval '24 hours'
        order by lease_until limit ${PRUNE_AT_ONCE} for update skip locked))
    `.execute(db);
    if (Number(numAffectedRows ?? 0) < PRUNE_AT_ONCE) {
      return;
    }
  }
}
