import { sql } from "kysely";

/**
 * Whether the tenant of a row `g` that is to be written is there still. Looked up row by row (hence the
 * offset): joined, a plan that was made while there was one tenant would read all of them later.
 */
export const TENANT_STANDS = sql<boolean>`exists (
  select from tenant t where t.id = g.tenant_id offset 0)`;
