// Who changed what.

import type { ColumnType, Generated, GeneratedAlways } from "kysely";

/** Written as text, and read as what it says. */
type Json = ColumnType<unknown, string | null, never>;

export interface AuditEntryTable {
  xid: GeneratedAlways<string>;
  seq: GeneratedAlways<string>;
  id: string;
  at: Generated<Date>;
  /** A call's beginning and end; what a job did in one transaction is `done`. */
  phase: "begun" | "ended" | "done";
  request_id: string | null;
  actor_kind: "partner" | "tenant" | "job";
  actor: string;
  actor_tenant_id: string | null;
  operation: string;
  status: number | null;
  code: string | null;
  target: ColumnType<unknown, string, never>;
  before: Json;
  after: Json;
}

export interface AuditLinkTable {
  position: string;
  entry_id: string;
  hash: Buffer;
}

export interface AuditHeadTable {
  singleton: Generated<boolean>;
  position: string;
  hash: Buffer;
  xid: string;
  seq: string;
}
