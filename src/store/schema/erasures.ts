// Users whose erasure has been asked for.

import type { CreatedAt } from "./created-at.ts";

export interface ErasureTable {
  id: string;
  tenant_id: string;
  user_sealed: Buffer;
  /** The limit of the token that asked; null means all of the tenant. */
  phone_number_ids: string[] | null;
  asked_at: CreatedAt;
}
