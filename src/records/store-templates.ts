import { sql } from "kysely";
import type { Database, DatabaseTransaction } from "../store/database.ts";

/** One template as 360dialog lists it; status in lower case, category and quality in upper case. */
export type ListedTemplate = {
  name: string;
  language: string;
  category: string | null;
  status: string | null;
  quality: string | null;
  components: unknown;
  externalId: string | null;
};

type Waba = { tenant_id: string; waba_id: string; started_at: Date };

const ROWS_PER_STATEMENT = 500;

/**
 * Makes our copy of a WABA's templates what the list says, all at once. What an event has told since
 * the list was begun is newer, and stays.
 */
export async function storeTemplates(
  db: Database,
  waba: Waba,
  options: { templates: readonly ListedTemplate[]; againInMs: number },
): Promise<void> {
  const byKey = new Map(
    options.templates.map((template) => [`${template.name} ${template.language}`, template]),
  );
  const templates = [...byKey.values()];
  await db.transaction().execute(async (trx) => {
    const synced = await trx
      .updateTable("template_sync")
      .set({
        synced_at: waba.started_at,
        next_at: sql`now() + make_interval(secs => ${options.againInMs / 1000})`,
        failed_count: 0,
        failure: null,
      })
      .where("tenant_id", "=", waba.tenant_id)
      .where("waba_id", "=", waba.waba_id)
      .executeTakeFirst();
    if (synced.numUpdatedRows === 0n) {
      // Its tenant has just been deleted.
      return;
    }
    for (let start = 0; start < templates.length; start += ROWS_PER_STATEMENT) {
      await upsert(trx, waba, templates.slice(start, start + ROWS_PER_STATEMENT));
    }
    await trx
      .deleteFrom("template")
      .where("tenant_id", "=", waba.tenant_id)
      .where("waba_id", "=", waba.waba_id)
      .where("changed_at", "<", waba.started_at)
      .execute();
  });
}

async function upsert(
  trx: DatabaseTransaction,
  waba: Waba,
  templates: readonly ListedTemplate[],
): Promise<void> {
  const column = (valueOf: (template: ListedTemplate) => string | null) =>
    sql`${templates.map(valueOf)}::text[]`;
  await sql`
    insert into template as t (tenant_id, waba_id, name, language, category, status, quality,
      external_id, components, changed_at, synced_at)
    select ${waba.tenant_id}, ${waba.waba_id}, name, language, category, status, quality,
      external_id, components::json, ${waba.started_at}::timestamptz,
      ${waba.started_at}::timestamptz
    from unnest(${column(({ name }) => name)}, ${column(({ language }) => language)},
      ${column(({ category }) => category)}, ${column(({ status }) => status)},
      ${column(({ quality }) => quality)}, ${column(({ externalId }) => externalId)},
      ${column(({ components }) => JSON.stringify(components ?? null))}
    ) as i (name, language, category, status, quality, external_id, components)
    on conflict (tenant_id, waba_id, name, language) do update set
      category = excluded.category, status = excluded.status, quality = excluded.quality,
      external_id = excluded.external_id, components = excluded.components,
      changed_at = excluded.changed_at, synced_at = excluded.synced_at
    where t.changed_at <= excluded.changed_at`.execute(trx);
}
