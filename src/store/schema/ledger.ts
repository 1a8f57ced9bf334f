// What came, and what became of it, by endpoint, number and hour.

import type { ColumnType, Generated } from "kysely";
import type { CreatedAt } from "./created-at.ts";

export interface DeletedEndpointTable {
  endpoint_id: string;
  tenant_id: string;
  serial: number;
  created_at: Date;
  deleted_at: CreatedAt;
}

export interface LedgerHourTable {
  hour: Date;
  pass: Generated<number>;
  counted_at: Date | null;
  began_at: Date | null;
  xid: Generated<string>;
  seq: Generated<string>;
  count_again_at: Generated<Date>;
  received: Generated<string>;
  filtered: Generated<string>;
  delivered: Generated<string>;
  exhausted: Generated<string>;
  cancelled: Generated<string>;
  live: Generated<string>;
  missing: Generated<string>;
}

/** A bigint: text when it is read. */
type Count = ColumnType<string, number, number>;

export interface LedgerTable {
  tenant_id: string;
  hour: Date;
  endpoint_id: string;
  /** Empty for what concerns no number. */
  phone_number_id: string;
  pass: number;
  received: Count;
  filtered: Count;
  delivered: Count;
  exhausted: Count;
  cancelled: Count;
  pending: Count;
  delivering: Count;
  missing: Count;
}

/** What notifications brought of a number. */
export interface TrafficTable {
  tenant_id: string;
  phone_number_id: string;
  hour: Date;
  events: number;
}

export interface LedgerDriftTable {
  tenant_id: string;
  hour: Date;
  endpoint_id: string;
  phone_number_id: string;
  event_id: string;
  found_at: CreatedAt;
}
