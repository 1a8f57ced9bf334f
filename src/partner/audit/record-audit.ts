import type { Insertable } from "kysely";
import type { Audit } from "../../http/audit.ts";
import type { Caller } from "../../http/caller.ts";
import { newId } from "../../ids.ts";
import { type Log, logBackgroundFailed } from "../../log.ts";
import type { Database, DatabaseTransaction } from "../../store/database.ts";
import type { AuditEntryTable } from "../../store/schema/audit.ts";
import { maskForAudit } from "./mask.ts";

/** The calls of the route table: one entry before, one after; see decision 14. */
export function createAudit({ db, log }: { db: Database; log: Log }): Audit {
  return async ({ caller, operation, params, requestId, before }) => {
    const call = {
      ...actorOf(caller),
      operation,
      request_id: requestId,
      target: textOf(params),
    };
    await insertEntry(db, { ...call, phase: "begun", before: textOf(before) });
    return async ({ status, code, after }) => {
      try {
        await insertEntry(db, { ...call, phase: "ended", status, code, after: textOf(after) });
      } catch (err) {
        // It is done and has been answered for; that it was begun is written down.
        logBackgroundFailed(log, { job: "audit", err });
      }
    };
  };
}

/** What a job has changed, in the transaction of the change. */
export async function auditJob(
  trx: DatabaseTransaction,
  job: string,
  done: { target: Record<string, string>; before: unknown; after: unknown },
): Promise<void> {
  await insertEntry(trx, {
    actor_kind: "job",
    actor: job,
    operation: job,
    phase: "done",
    target: textOf(done.target),
    before: textOf(done.before),
    after: textOf(done.after),
  });
}

function actorOf(
  caller: Caller,
): Pick<Insertable<AuditEntryTable>, "actor_kind" | "actor" | "actor_tenant_id"> {
  const actor_tenant_id = caller.kind === "tenant" ? caller.tenantId : null;
  return { actor_kind: caller.kind, actor: caller.clientId, actor_tenant_id };
}

function textOf(value: unknown): string {
  return JSON.stringify(maskForAudit(value));
}

async function insertEntry(
  db: Database | DatabaseTransaction,
  entry: Omit<Insertable<AuditEntryTable>, "id">,
): Promise<void> {
  await db
    .insertInto("audit_entry")
    .values({ id: newId("aud"), ...entry })
    .execute();
}
