import { sql } from "kysely";

/**
 * `waited_for (tenant_id, endpoint_id)`, for a `with recursive`: the endpoints of which deliveries are
 * live, found by the key from one to the next and not by reading all that waits for them.
 */
export const WAITED_FOR = sql`waited_for as (
  (select tenant_id, endpoint_id from delivery order by tenant_id, endpoint_id limit 1)
  union all
  select next.tenant_id, next.endpoint_id from waited_for w cross join lateral (
    select tenant_id, endpoint_id from delivery
    where (tenant_id, endpoint_id) > (w.tenant_id, w.endpoint_id)
    order by tenant_id, endpoint_id limit 1
  ) next
)`;
