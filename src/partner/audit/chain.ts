import { createHash } from "node:crypto";
import { sql } from "kysely";
import { SETTLED_XID } from "../../events/read-events.ts";
import type { Database, DatabaseTransaction } from "../../store/database.ts";

/** An entry as the chain knows it: its columns as text, in the order in which they are hashed. */
export type ChainedEntry = { id: string; xid: string; seq: string; columns: (string | null)[] };

/**
 * SHA-256 over the hash before and the entry. What an entry is cannot be changed, and none taken out
 * or put in, without another hash for it and for every one after it.
 */
export function linkHash(before: Buffer, entry: ChainedEntry): Buffer {
  const { id, xid, seq, columns } = entry;
  const text = JSON.stringify([id, xid, seq, ...columns]);
  return createHash("sha256").update(before).update(text).digest();
}

export const ENTRY_COLUMNS = sql`
  entry.id, entry.xid::text as xid, entry.seq::text as seq, array[
    to_char(entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS'), entry.phase, entry.request_id,
    entry.actor_kind, entry.actor, entry.actor_tenant_id, entry.operation, entry.status::text, entry.code,
    entry.target::text, entry.before::text, entry.after::text
  ] as columns`;

const BATCH = 1000;

/**
 * Chains what has been committed since, in the readers' order: nothing can appear behind the end of
 * the chain. Of several processes one does it at a time.
 */
export async function chainAudit(db: Database): Promise<void> {
  while ((await db.transaction().execute(chainBatch)) === BATCH) {
    // There is more.
  }
}

async function chainBatch(trx: DatabaseTransaction): Promise<number> {
  const head = await trx.selectFrom("audit_head").selectAll().forUpdate().executeTakeFirstOrThrow();
  const { rows } = await sql<ChainedEntry>`
    select ${ENTRY_COLUMNS} from audit_entry entry
    where (entry.xid, entry.seq) > (${head.xid}::xid8, ${head.seq}::bigint) and ${SETTLED_XID}
    order by entry.xid, entry.seq limit ${BATCH}`.execute(trx);
  let { hash } = head;
  const links = rows.map((entry, index) => {
    hash = linkHash(hash, entry);
    return {
      position: String(BigInt(head.position) + BigInt(index + 1)),
      entry_id: entry.id,
      hash,
    };
  });
  const last = rows.at(-1);
  const position = links.at(-1)?.position;
  if (last !== undefined && position !== undefined) {
    await trx.insertInto("audit_link").values(links).execute();
    await trx
      .updateTable("audit_head")
      .set({ position, hash, xid: last.xid, seq: last.seq })
      .execute();
  }
  return rows.length;
}
