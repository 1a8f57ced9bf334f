// What the store keeps for itself.

import type { Generated } from "kysely";
import type { CreatedAt } from "./created-at.ts";

export interface InstallationTable {
  id: Generated<string>;
  min_version: string;
  created_at: CreatedAt;
}

export interface ChangeTable {
  seq: Generated<string>;
  kind: string;
  key: string;
  changed_at: CreatedAt;
}
