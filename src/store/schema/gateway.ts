// What a forwarded call leaves.

import type { Generated } from "kysely";

export interface IdempotencyKeyTable {
  tenant_id: string;
  number_id: string;
  operation: string;
  key_sha256: Buffer;
  request_sha256: Buffer;
  message_id: string;
  state: Generated<"running" | "answered" | "unknown">;
  answer_sealed: Buffer | null;
  lease_until: Date;
}
