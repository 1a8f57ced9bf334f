// What is wrong and wants a person.

import type { Generated, GeneratedAlways } from "kysely";

export interface AlertTable {
  id: string;
  seq: GeneratedAlways<string>;
  kind: string;
  subject: string;
  tenant_id: string | null;
  number_id: string | null;
  phone_number_id: string | null;
  endpoint_id: string | null;
  detail: string;
  raised_at: Generated<Date>;
  last_seen_at: Generated<Date>;
  count: Generated<number>;
  cleared_at: Date | null;
}
