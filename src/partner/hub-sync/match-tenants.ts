import { type RawBuilder, sql } from "kysely";
import type { HubChannel } from "../../dialog360/partner-channel.ts";
import type { Database, DatabaseTransaction } from "../../store/database.ts";
import type { MatchRule } from "../../store/schema/hub-sync.ts";

/** The client has numbers or a binding here; its id is a tenant's `external_id`; it is named like a tenant. */
export const DEFAULT_RULES: readonly MatchRule[] = [
  { by: "client_id" },
  { by: "external_id" },
  { by: "name", pattern: "{name}" },
];

/** A rule that several tenants fit decides nothing, and no later one is asked: a person must. */
export type Match =
  | { kind: "one"; tenantId: string; rule: MatchRule["by"] }
  | { kind: "ambiguous"; rule: MatchRule["by"] }
  | { kind: "none" };

/** Whose each of these channels would be. */
export async function matchTenants(
  db: Database | DatabaseTransaction,
  { channels, rules }: { channels: readonly HubChannel[]; rules: readonly MatchRule[] },
): Promise<(channel: HubChannel) => Match> {
  const matches = new Map<string, Match>();
  for (const rule of rules) {
    const open = channels.filter(({ hubClientId }) => !matches.has(hubClientId));
    if (open.length === 0) {
      break;
    }
    const clients = JSON.stringify(
      open.map(({ hubClientId: id, clientName: name }) => ({ id, name })),
    );
    const { rows } = await sql<{ client_id: string; tenant_ids: string[] }>`
      select c.id as client_id, array_agg(distinct t.id) as tenant_ids
      from json_to_recordset(${clients}::json) as c (id text, name text)
      join tenant t on ${fits(rule)}
      group by c.id`.execute(db);
    for (const { client_id, tenant_ids } of rows) {
      const [tenantId, another] = tenant_ids;
      if (tenantId !== undefined) {
        const one = { kind: "one", tenantId, rule: rule.by } as const;
        matches.set(client_id, another === undefined ? one : { kind: "ambiguous", rule: rule.by });
      }
    }
  }
  return ({ hubClientId }) => matches.get(hubClientId) ?? { kind: "none" };
}

function fits(rule: MatchRule): RawBuilder<boolean> {
  switch (rule.by) {
    case "client_id":
      return sql`t.id in (
        select tenant_id from phone_number where hub_client_id = c.id
        union select tenant_id from hub_client_binding where hub_client_id = c.id)`;
    case "external_id":
      return sql`t.external_id = c.id`;
    case "name": {
      const pattern = sql`${escapeLike(rule.pattern).replaceAll("*", "%")}::text`;
      const filled = sql`replace(replace(${pattern}, '{name}', ${escapedInSql(sql`t.name`)}),
        '{external_id}', ${escapedInSql(sql`coalesce(t.external_id, '')`)})`;
      const usesExternalId = rule.pattern.includes("{external_id}");
      return sql`lower(c.name) like lower(${filled})
        and (t.external_id is not null or not ${usesExternalId}::boolean)`;
    }
    default:
      return rule satisfies never;
  }
}

/** What stands for itself in a pattern of `like`. */
const escapeLike = (text: string): string => text.replaceAll(/[\\%_]/g, "\\$&");

const escapedInSql = (text: RawBuilder<unknown>): RawBuilder<string> =>
  sql`regexp_replace(${text}, '([\\\\%_])', '\\\\\\1', 'g')`;
