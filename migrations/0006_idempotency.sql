-- 0006  A send with an Idempotency-Key is made once, and its answer given again for 24 hours.
-- expand: a new table only.

-- A row is one key: the send that was the first under it (message_id, lease_until) and what came of
-- it. The key is kept as its SHA-256: it may be 255 characters long or hold a customer's data, and it
-- is never asked for again. answer_sealed is there once the state is answered. lease_until never
-- changes, so neither does the one other index, and a finish writes no index at all.
create table idempotency_key (
  tenant_id text not null,
  number_id text not null,
  operation text not null,
  key_sha256 bytea not null,
  request_sha256 bytea not null,
  message_id text not null,
  state text not null default 'running' check (state in ('running', 'answered', 'unknown')),
  answer_sealed bytea,
  lease_until timestamptz not null,
  primary key (tenant_id, number_id, operation, key_sha256)
) with (fillfactor = 80);
create index idempotency_key_by_age on idempotency_key (lease_until);
