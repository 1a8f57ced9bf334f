import { sql } from "kysely";
import type { Database } from "../../store/database.ts";
import { type ChainedEntry, ENTRY_COLUMNS, linkHash } from "./chain.ts";

export type AuditVerdict = {
  /** Entries in the chain, and those that have come since it was last made longer. */
  chained: number;
  waiting: number;
  /** The last hash in hex: whoever keeps it elsewhere can tell later that nothing before it changed. */
  head: string;
  /** In words, one for each place that is wrong; empty where all is well. */
  faults: string[];
};

const BATCH = 1000;

/** Goes through the whole chain in one snapshot, and names what has been changed, taken out or put in. */
export async function verifyAudit(db: Database): Promise<AuditVerdict> {
  return db
    .transaction()
    .setIsolationLevel("repeatable read")
    .execute(async (trx) => {
      const head = await trx.selectFrom("audit_head").selectAll().executeTakeFirst();
      if (head === undefined) {
        return { chained: 0, waiting: 0, head: "", faults: ["the end of the chain is missing"] };
      }
      const faults: string[] = [];
      let hash: Buffer = Buffer.alloc(0);
      let position = 0;
      for (;;) {
        const { rows } = await sql<Link>`
          select link.position::float8 as position, link.entry_id, link.hash, ${ENTRY_COLUMNS}
          from audit_link link left join audit_entry entry on entry.id = link.entry_id
          where link.position > ${position} order by link.position limit ${BATCH}`.execute(trx);
        for (const link of rows) {
          if (link.position !== position + 1) {
            faults.push(`places ${position + 1} to ${link.position - 1} of the chain are missing`);
          } else if (link.id === null) {
            faults.push(`entry ${link.entry_id} is missing`);
          } else if (!linkHash(hash, link as ChainedEntry).equals(link.hash)) {
            faults.push(`entry ${link.entry_id} has been changed`);
          }
          ({ position, hash } = link);
        }
        if (rows.length < BATCH) {
          break;
        }
      }
      if (position !== Number(head.position) || !hash.equals(head.hash)) {
        faults.push(`the chain ends at ${position}, and should at ${head.position}`);
      }
      const { rows } = await sql<{ id: string; behind: boolean }>`
        select id, (xid, seq) <= (${head.xid}::xid8, ${head.seq}::bigint) as behind
        from audit_entry entry
        where not exists (select 1 from audit_link where entry_id = entry.id)
        order by xid, seq`.execute(trx);
      for (const { id } of rows.filter(({ behind }) => behind)) {
        faults.push(`entry ${id} was put in later, or its link was taken out`);
      }
      const waiting = rows.filter(({ behind }) => !behind).length;
      return { chained: position, waiting, head: head.hash.toString("hex"), faults };
    });
}

/** An entry's members are null where the entry is gone. */
type Link = { position: number; entry_id: string; hash: Buffer } & {
  [Member in keyof ChainedEntry]: ChainedEntry[Member] | null;
};
