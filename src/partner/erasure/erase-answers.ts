import { sql } from "kysely";
import type { Database } from "../../store/database.ts";
import type { ErasureScope } from "./erase-events.ts";
import { retried } from "./retried.ts";

const SLICE = 5000;

/**
 * Forgets what endpoints answered where they named a user, whatever they were sent. Goes through the
 * attempts by their key. An answer does not say which number it is about: a token that is limited to
 * some numbers leaves those of other users' events alone.
 */
export async function eraseAnswers(
  db: Database,
  { tenantId, among, until, needles }: ErasureScope & { needles: readonly string[] },
): Promise<void> {
  const bytes = needles.map((needle) => Buffer.from(needle));
  let after: string | null = among === null ? "" : null;
  while (after !== null) {
    const from: string = after;
    const { rows } = await retried(() =>
      sql<{ last: string | null }>`
        with slice as materialized (
          select delivery_id from attempt where tenant_id = ${tenantId} and delivery_id > ${from}
          order by delivery_id limit ${SLICE}
        ), last as materialized (
          select max(delivery_id) as delivery_id from slice
        ), gone as (
          update attempt a set answer = null from last
          where a.tenant_id = ${tenantId} and a.delivery_id > ${from}
            and a.delivery_id <= last.delivery_id and a.started_at <= ${until}
            and exists (select from unnest(${bytes}::bytea[]) n where position(n in a.answer) > 0)
        )
        select delivery_id as last from last`.execute(db),
    );
    after = rows[0]?.last ?? null;
  }
}
