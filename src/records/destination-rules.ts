import type { Selectable } from "kysely";
import { newId } from "../ids.ts";
import { announceChange, type ChangeFeed } from "../store/change-feed.ts";
import type { Database } from "../store/database.ts";
import { createRemembered } from "../store/remembered.ts";
import type { DestinationRuleTable } from "../store/schema/records.ts";

export type DestinationRuleRow = Selectable<DestinationRuleTable>;
export type DestinationRule = Pick<
  DestinationRuleRow,
  "country" | "effect" | "from_at" | "until_at" | "note"
>;

export async function insertDestinationRule(
  db: Database,
  rule: DestinationRule,
): Promise<DestinationRuleRow> {
  return db.transaction().execute(async (trx) => {
    const row = await trx
      .insertInto("destination_rule")
      .values({ id: newId("dst"), ...rule })
      .returningAll()
      .executeTakeFirstOrThrow();
    await announceChange(trx, { kind: "destination_rule", key: row.id });
    return row;
  });
}

export async function listDestinationRules(
  db: Database,
  page: { limit: number; after: string[] | undefined },
): Promise<DestinationRuleRow[]> {
  return db
    .selectFrom("destination_rule")
    .selectAll()
    .$if(page.after !== undefined, (q) => q.where("id", ">", page.after?.[0] ?? ""))
    .orderBy("id")
    .limit(page.limit + 1)
    .execute();
}

export async function deleteDestinationRule(db: Database, ruleId: string): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const deleted = await trx
      .deleteFrom("destination_rule")
      .where("id", "=", ruleId)
      .executeTakeFirst();
    await announceChange(trx, { kind: "destination_rule", key: ruleId });
    return deleted.numDeletedRows > 0n;
  });
}

/** The rules for a country, whenever they are in force. */
export type FindDestinationRules = (country: string) => Promise<readonly DestinationRule[]>;

/** All of them are remembered at once: there are few, and most countries have none. */
export function createFindDestinationRules(options: {
  db: Database;
  feed: ChangeFeed;
}): FindDestinationRules {
  const remembered = createRemembered({
    feed: options.feed,
    async load() {
      const rows = await options.db.selectFrom("destination_rule").selectAll().execute();
      return Map.groupBy(rows, (row) => row.country);
    },
    entriesMax: 1,
  });
  options.feed.subscribe(({ kind }) => {
    if (kind === "destination_rule") {
      remembered.forget("all");
    }
  });
  return async (country) => (await remembered.get("all")).get(country) ?? [];
}

export function isInForce(rule: DestinationRule, now: Date): boolean {
  return rule.from_at <= now && (rule.until_at === null || now < rule.until_at);
}
