import { type RawBuilder, sql } from "kysely";
import type { SealContext } from "../sealing.ts";

/** A column of sealed secrets, and how each row's context follows from the row. */
export type SealedColumn = {
  table:
    | "signing_key"
    | "phone_number"
    | "webhook_endpoint"
    | "import_row"
    | "onboarding_channel"
    | "idempotency_key"
    | "erasure";
  column: string;
  purpose: SealContext["purpose"];
  rowId: RawBuilder<string>;
  tenantId: RawBuilder<string>;
  /** Gone soon by itself (a day, an import's turn): the start does not depend on it. */
  passing?: true;
  /** What processes remember of it, and must read again: the kind of change, by tenant. */
  change?: "tenant";
};

const ofTenant = { rowId: sql<string>`id`, tenantId: sql<string>`tenant_id` };
const ofEndpoint = { table: "webhook_endpoint", ...ofTenant } as const;

/**
 * Every place where something sealed is stored, in whichever module. Whoever adds a column adds it
 * here; a test compares with the database.
 */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  {
    table: "signing_key",
    column: "private_key_sealed",
    purpose: "signing_key",
    rowId: sql<string>`id`,
    tenantId: sql<string>`''`,
  },
  {
    table: "phone_number",
    column: "api_key_sealed",
    purpose: "api_key",
    change: "tenant",
    ...ofTenant,
  },
  { ...ofEndpoint, column: "signing_secret_sealed", purpose: "signing_secret" },
  { ...ofEndpoint, column: "previous_signing_secret_sealed", purpose: "signing_secret" },
  { ...ofEndpoint, column: "headers_sealed", purpose: "endpoint_headers" },
  { ...ofEndpoint, column: "verify_token_sealed", purpose: "verify_token" },
  {
    table: "import_row",
    column: "api_key_sealed",
    purpose: "import_api_key",
    rowId: sql<string>`concat_ws('/', import_id, line)`,
    tenantId: sql<string>`''`,
    passing: true,
  },
  {
    table: "onboarding_channel",
    column: "api_key_sealed",
    purpose: "onboarding_api_key",
    rowId: sql<string>`channel_id`,
    tenantId: sql<string>`tenant_id`,
    passing: true,
  },
  {
    table: "idempotency_key",
    column: "answer_sealed",
    purpose: "idempotent_answer",
    rowId: sql<string>`concat_ws('/', number_id, operation, encode(key_sha256, 'hex'), message_id)`,
    tenantId: sql<string>`tenant_id`,
    passing: true,
  },
  { table: "erasure", column: "user_sealed", purpose: "erased_user", passing: true, ...ofTenant },
];

/** The id of the master key that a column's value is sealed with, out of its envelope. */
export function masterKeyIdOf(column: string): RawBuilder<string> {
  const sealed = sql.ref(column);
  return sql<string>`encode(substring(${sealed} from 3 for get_byte(${sealed}, 1)), 'escape')`;
}
