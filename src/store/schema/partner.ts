import type { Generated } from "kysely";
import type { CreatedAt } from "./created-at.ts";

export interface PartnerHookTable {
  token_sha256: Buffer;
  created_at: CreatedAt;
  expires_at: Date | null;
}

export interface PartnerEventTable {
  identity: Buffer;
  seq: Generated<string>;
  event: string;
  hub_client_id: string | null;
  channel_id: string | null;
  body: Buffer;
  received_at: CreatedAt;
  applied_at: Date | null;
  failure: string | null;
}
