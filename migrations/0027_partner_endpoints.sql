-- 0027  The partner has webhook endpoints too. They are rows like a tenant's, under the tenant_id of what
--       has no owner (''), so that whatever delivers, holds, replays and counts does the same for them.
-- expand: a column that follows from tenant_id takes over its foreign key. Rewrites a small table.

alter table webhook_endpoint drop constraint webhook_endpoint_tenant_id_fkey;
alter table webhook_endpoint
  -- The tenant that it goes with; null for the partner's.
  add column owner_tenant_id text generated always as (nullif(tenant_id, '')) stored
    references tenant on delete cascade;
