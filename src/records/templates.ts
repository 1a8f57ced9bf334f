import { type Selectable, sql } from "kysely";
import type { Database, DatabaseTransaction } from "../store/database.ts";
import type { TemplateTable } from "../store/schema/records.ts";
import type { ApplyEvents, FollowedEvent } from "./follow-events.ts";
import { objectOf, textOf } from "./payload.ts";

export type TemplateRow = Selectable<TemplateTable>;

/** The cached templates of these WABAs. */
export async function listTemplates(
  db: Database,
  tenantId: string,
  options: {
    limit: number;
    after: string[] | undefined;
    wabaIds: readonly string[];
    name: string | undefined;
    status: string | undefined;
  },
): Promise<TemplateRow[]> {
  const { after, wabaIds, name, status } = options;
  let query = db
    .selectFrom("template")
    .selectAll()
    .where("tenant_id", "=", tenantId)
    .where("waba_id", "=", sql<string>`any (${[...wabaIds]}::text[])`)
    .orderBy("waba_id")
    .orderBy("name")
    .orderBy("language")
    .limit(options.limit + 1);
  if (after !== undefined) {
    query = query.where(
      sql<boolean>`(waba_id, name, language) > (${after[0]}, ${after[1]}, ${after[2]})`,
    );
  }
  if (name !== undefined) {
    query = query.where("name", "=", name);
  }
  if (status !== undefined) {
    query = query.where("status", "=", status.toLowerCase());
  }
  return query.execute();
}

/** Keeps the cache true between two syncs. */
export const applyTemplateEvents: ApplyEvents = async (trx, events) => {
  for (const event of events) {
    const wabaId = event.wabaId;
    if (wabaId !== null && event.type.startsWith("template.")) {
      await applyTemplateEvent(trx, { ...event, wabaId });
    }
  }
};

type TemplateEvent = FollowedEvent & { wabaId: string };

async function applyTemplateEvent(trx: DatabaseTransaction, event: TemplateEvent): Promise<void> {
  const value = objectOf(event.value);
  switch (event.type) {
    case "template.status_changed":
      return write(trx, event, {
        status: statusOf(value["event"]),
        category: upperOf(value["message_template_category"]),
      });
    case "template.quality_changed":
      return write(trx, event, { quality: upperOf(value["new_quality_score"]) });
    case "template.category_changed":
      return write(trx, event, { category: upperOf(value["new_category"]) });
    case "template.components_changed":
      // It tells the new texts, but not in the form of components.
      await trx
        .updateTable("template_sync")
        .set({ next_at: sql`least(next_at, now())` })
        .where("tenant_id", "=", event.tenantId)
        .where("waba_id", "=", event.wabaId)
        .execute();
      return;
    default:
      return;
  }
}

type Change = { status?: string | null; category?: string | null; quality?: string | null };

async function write(
  trx: DatabaseTransaction,
  event: TemplateEvent,
  change: Change,
): Promise<void> {
  const value = objectOf(event.value);
  const name = textOf(value["message_template_name"]);
  const language = textOf(value["message_template_language"]);
  const { status = null, category = null, quality = null } = change;
  if (name === undefined || language === undefined || !(status ?? category ?? quality)) {
    return;
  }
  const externalId = digitsOf(value["message_template_id"]);
  await sql`
    insert into template as t
      (tenant_id, waba_id, name, language, status, category, quality, external_id, changed_at)
    select id, ${event.wabaId}, ${name}, ${language}, ${status}, ${category}, ${quality},
      ${externalId}, ${event.receivedAt}::timestamptz
    from tenant where id = ${event.tenantId}
    on conflict (tenant_id, waba_id, name, language) do update set
      status = coalesce(excluded.status, t.status),
      category = coalesce(excluded.category, t.category),
      quality = coalesce(excluded.quality, t.quality),
      changed_at = excluded.changed_at
    where t.changed_at <= excluded.changed_at`.execute(trx);
}

/** Meta's words for "can be sent again". */
const APPROVED_AGAIN: ReadonlySet<string> = new Set(["reinstated", "unpaused"]);

function statusOf(event: unknown): string | null {
  const status = textOf(event)?.toLowerCase() ?? null;
  return status !== null && APPROVED_AGAIN.has(status) ? "approved" : status;
}

/** Meta's ids come as text or as numbers, which may have more digits than a double holds. */
function digitsOf(id: unknown): string | null {
  const text = typeof id === "string" ? id : JSON.stringify(id);
  return /^\d{1,32}$/.test(text ?? "") ? text : null;
}

function upperOf(value: unknown): string | null {
  return textOf(value)?.toUpperCase() ?? null;
}
