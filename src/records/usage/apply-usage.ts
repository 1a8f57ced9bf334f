import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "../../store/database.ts";
import { prepared } from "../../store/pooled-client.ts";
import type { ApplyEvents } from "../follow-events.ts";
import { TENANT_STANDS } from "../tenant-stands.ts";
import { bucketOf, countMessage, type UsageBucket, type UsageMessage } from "./count-message.ts";
import { openSince } from "./frozen-days.ts";
import { type UsageMark, usageMarkOf } from "./usage-mark.ts";

/**
 * Counts each message once, whatever comes of it in whatever order. Only the follower writes here, of
 * which one at a time has the turn, so what it read is still so when it writes.
 */
export function createApplyUsage(clock: () => Date): ApplyEvents {
  return async (trx, events) => {
    const marks = events.map(usageMarkOf).filter((mark) => mark !== undefined);
    if (marks.length === 0) {
      return;
    }
    const before = await readMessages(trx, marks);
    const after = new Map(before);
    const openDay = openSince(clock());
    for (const mark of marks) {
      after.set(idOf(mark), countMessage(after.get(idOf(mark)), mark, openDay));
    }
    await writeMessages(trx, [...after.values()]);
    await addCounts(trx, changesOf(before, after));
  };
}

const idOf = ({ tenantId, key }: UsageMark): string => `${tenantId} ${key}`;

type Change = UsageBucket & { more: number };

/** What is added to each count, or taken from it where a message has moved. */
function changesOf(
  before: ReadonlyMap<string, UsageMessage>,
  after: ReadonlyMap<string, UsageMessage>,
): Change[] {
  const changes = new Map<string, Change>();
  const add = (bucket: UsageBucket | undefined, more: number): void => {
    if (bucket !== undefined) {
      const key = JSON.stringify(bucket);
      changes.set(key, { ...bucket, more: (changes.get(key)?.more ?? 0) + more });
    }
  };
  for (const [id, message] of after) {
    add(bucketOf(before.get(id)), -1);
    add(bucketOf(message), 1);
  }
  return [...changes.values()].filter(({ more }) => more !== 0);
}

type StoredMessage = {
  tenant_id: string;
  key: string;
  phone_number_id: string;
  direction: UsageMark["direction"];
  country: string;
  day: string | null;
  category: string | null;
  billable: boolean;
  price_rank: number;
  counted_day: string | null;
};

async function readMessages(
  trx: DatabaseTransaction,
  marks: readonly UsageMark[],
): Promise<Map<string, UsageMessage>> {
  const { rows } = await sql<StoredMessage>`
    ${prepared("read_usage_messages")}
    select m.tenant_id, encode(m.message_key, 'hex') as key, m.phone_number_id, m.direction,
      m.country, m.day::text, m.category, m.billable, m.price_rank, m.counted_day::text
    from (
      select distinct tenant_id, decode(key, 'hex') as message_key from unnest(
        ${marks.map(({ tenantId }) => tenantId)}::text[], ${marks.map(({ key }) => key)}::text[]
      ) as asked (tenant_id, key)) g,
    lateral (
      -- Each by its key and no other way, also where the plan was made while there was none.
      select * from usage_message
      where tenant_id = g.tenant_id and message_key = g.message_key offset 0
    ) m`.execute(trx);
  const messages = rows.map((row): UsageMessage => {
    const { category, billable, price_rank: rank } = row;
    return {
      tenantId: row.tenant_id,
      key: row.key,
      phoneNumberId: row.phone_number_id,
      direction: row.direction,
      country: row.country,
      day: row.day,
      price: category === null ? null : { category, billable, rank },
      countedDay: row.counted_day,
    };
  });
  return new Map(messages.map((message) => [idOf(message), message]));
}

async function writeMessages(
  trx: DatabaseTransaction,
  messages: readonly UsageMessage[],
): Promise<void> {
  const rows = messages.map((message): StoredMessage => ({
    tenant_id: message.tenantId,
    key: message.key,
    phone_number_id: message.phoneNumberId,
    direction: message.direction,
    country: message.country,
    day: message.day,
    category: message.price?.category ?? null,
    billable: message.price?.billable ?? false,
    price_rank: message.price?.rank ?? 0,
    counted_day: message.countedDay,
  }));
  await sql`
    ${prepared("write_usage_messages")}
    insert into usage_message (tenant_id, message_key, phone_number_id, direction, country, day,
      category, billable, price_rank, counted_day)
    select g.tenant_id, decode(g.key, 'hex'), g.phone_number_id, g.direction, g.country, g.day,
      g.category, g.billable, g.price_rank, g.counted_day
    from json_to_recordset(${JSON.stringify(rows)}::json) as g (
      tenant_id text, key text, phone_number_id text, direction text, country text, day date,
      category text, billable boolean, price_rank smallint, counted_day date)
    where ${TENANT_STANDS}
    on conflict (tenant_id, message_key) do update set
      country = excluded.country, day = excluded.day, category = excluded.category,
      billable = excluded.billable, price_rank = excluded.price_rank,
      counted_day = excluded.counted_day, seen_at = now()`.execute(trx);
}

async function addCounts(trx: DatabaseTransaction, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) {
    return;
  }
  const rows = changes.map(({ tenantId, phoneNumberId, ...rest }) => ({
    tenant_id: tenantId,
    phone_number_id: phoneNumberId,
    ...rest,
  }));
  await sql`
    ${prepared("add_usage")}
    insert into usage as u (tenant_id, day, phone_number_id, category, country, direction, billable,
      messages)
    select g.tenant_id, g.day, g.phone_number_id, g.category, g.country, g.direction, g.billable,
      g.more
    from json_to_recordset(${JSON.stringify(rows)}::json) as g (
      tenant_id text, day date, phone_number_id text, category text, country text, direction text,
      billable boolean, more bigint)
    where ${TENANT_STANDS}
    on conflict (tenant_id, day, phone_number_id, category, country, direction, billable)
      do update set messages = u.messages + excluded.messages`.execute(trx);
}

// A status may come as late as WhatsApp tries to deliver: 30 days.
const KEPT_DAYS = 35;
const PRUNE_BATCH = 10_000;

/** Forgets messages of which nothing more can come; the counts stay. Called once an hour. */
export async function pruneUsageMessages(db: Database): Promise<void> {
  const { numAffectedRows = 0n } = await sql`
    delete from usage_message where (tenant_id, message_key) in (
      select tenant_id, message_key from usage_message
      where seen_at < now() - make_interval(days => ${KEPT_DAYS}) limit ${PRUNE_BATCH})`.execute(
    db,
  );
  if (numAffectedRows === BigInt(PRUNE_BATCH)) {
    await pruneUsageMessages(db);
  }
}
