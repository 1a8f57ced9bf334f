import { type RawBuilder, sql } from "kysely";
import type { Database } from "../../store/database.ts";
import type { UsageDirection } from "../../store/schema/usage.ts";

export type UsageRow = {
  tenant_id: string;
  /** `YYYY-MM-DD`, in UTC. */
  day: string;
  phone_number_id: string;
  category: string;
  country: string;
  direction: UsageDirection;
  billable: boolean;
  messages: number;
};

export type UsageFilter = {
  phoneNumberId?: string | undefined;
  /** The first day, and the one after the last. */
  from?: string | undefined;
  to?: string | undefined;
  /** A token's limit to some numbers; `null` means all. */
  among: readonly string[] | null;
};

export type UsagePage = UsageFilter & { limit: number; after: string[] | undefined };

/** A tenant's counts in their order, up to `limit + 1` of them. */
export async function readUsage(
  db: Database,
  tenantId: string,
  page: UsagePage,
): Promise<UsageRow[]> {
  return readWhere(db, sql<boolean>`tenant_id = ${tenantId}`, page);
}

/** Every tenant's, or one's. */
export async function readUsageAsPartner(
  db: Database,
  { tenantId, ...page }: UsagePage & { tenantId: string | undefined },
): Promise<UsageRow[]> {
  return tenantId === undefined
    ? readWhere(db, sql<boolean>`true`, page)
    : readUsage(db, tenantId, page);
}

/** A row's place in the list; also the forms of these parts, for a cursor. */
export function keyOfUsage(row: UsageRow): string[] {
  const { tenant_id, day, phone_number_id, category, country, direction, billable } = row;
  return [tenant_id, day, phone_number_id, category, country, direction, String(billable)];
}

async function readWhere(
  db: Database,
  whose: RawBuilder<boolean>,
  { phoneNumberId, from, to, among, limit, after }: UsagePage,
): Promise<UsageRow[]> {
  const [tenant, day, number, category, country, direction, billable] = after ?? [];
  const isAfter = sql`(tenant_id, day, phone_number_id, category, country, direction, billable) >
    (${tenant}::text, ${day}::date, ${number}::text, ${category}::text, ${country}::text,
      ${direction}::text, ${billable}::boolean)`;
  const { rows } = await sql<UsageRow>`
    select tenant_id, day::text, phone_number_id, category, country, direction, billable,
      messages::float8 as messages
    from usage
    where ${whose} and messages > 0
      and ${after === undefined ? sql`true` : isAfter}
      and (${from ?? null}::date is null or day >= ${from ?? null}::date)
      and (${to ?? null}::date is null or day < ${to ?? null}::date)
      and (${phoneNumberId ?? null}::text is null or phone_number_id = ${phoneNumberId ?? null})
      and (${among}::text[] is null or phone_number_id = any (${among}::text[]))
    order by tenant_id, day, phone_number_id, category, country, direction, billable
    limit ${limit + 1}`.execute(db);
  return rows;
}
