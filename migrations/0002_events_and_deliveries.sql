-- 0002  What came in and where it has to go. A notification answered 200 is here.
-- expand: new tables only.

-- Partitions are days (UTC) and are made ahead of time by ensure_partitions; there is no default
-- partition, because one would stand in the way of dropping a day whole.
create table notification (
  id text not null,
  number_id text,
  body_sha256 bytea not null,
  body_bytes integer not null,
  event_count integer not null,
  received_at timestamptz not null default now(),
  primary key (id, received_at)
) partition by range (received_at);

-- tenant_id is '' for what has no owner. (xid, seq) is the order of every reader: ids are made
-- before the commit, so a smaller one can appear behind a reader.
create table event (
  tenant_id text not null,
  id text not null,
  xid xid8 not null default pg_current_xact_id(),
  seq bigint generated always as identity,
  type text not null,
  phone_number_id text,
  waba_id text,
  identity bytea not null,
  notification_id text not null,
  body bytea not null,
  received_at timestamptz not null default now(),
  primary key (tenant_id, id, received_at)
) partition by range (received_at);
create index event_in_order on event (tenant_id, xid, seq);

-- What has been seen in the last seven days, by what it is and not by how it was framed.
create table event_identity (
  identity bytea primary key,
  seen_at timestamptz not null default now()
);

create table webhook_endpoint (
  id text primary key,
  tenant_id text not null references tenant on delete cascade,
  url text not null,
  description text,
  event_types text[],
  event_type_patterns text[],
  phone_number_ids text[],
  waba_ids text[],
  headers_sealed bytea,
  header_names text[] not null,
  signing_secret_sealed bytea not null,
  format text not null check (format in ('cloud_api', 'event', 'cloudevents')),
  timeout_seconds integer not null,
  max_in_flight integer not null,
  managed_by text not null check (managed_by in ('api', 'drop_in')),
  state text not null default 'active' check (state in ('active', 'held', 'paused', 'disabled')),
  created_at timestamptz not null default now()
);
create index webhook_endpoint_of_tenant on webhook_endpoint (tenant_id, created_at, id);

-- The live ones: waiting, under way or held. Finished ones move to delivery_finished, so that what
-- a claim costs does not grow with history. The key is also the order of the list.
create table delivery (
  tenant_id text not null,
  event_xid xid8 not null,
  event_seq bigint not null,
  endpoint_id text not null,
  id text not null,
  event_id text not null,
  event_received_at timestamptz not null,
  state text not null check (state in ('pending', 'delivering', 'held')),
  attempt_count integer not null default 0,
  next_attempt_at timestamptz default now(),
  lease_token uuid,
  lease_until timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, event_xid, event_seq, endpoint_id)
) with (
  fillfactor = 80,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
create index delivery_pending on delivery (endpoint_id, next_attempt_at) where state = 'pending';
create index delivery_under_way on delivery (endpoint_id, lease_until) where state = 'delivering';
create index delivery_by_id on delivery (tenant_id, id);

create table delivery_finished (
  tenant_id text not null,
  event_xid xid8 not null,
  event_seq bigint not null,
  endpoint_id text not null,
  id text not null,
  event_id text not null,
  event_received_at timestamptz not null,
  state text not null check (state in ('delivered', 'exhausted', 'cancelled')),
  attempt_count integer not null,
  created_at timestamptz not null,
  finished_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, event_xid, event_seq, endpoint_id, finished_at)
) partition by range (finished_at);
create index delivery_finished_by_id on delivery_finished (tenant_id, id);

create table attempt (
  tenant_id text not null,
  id text not null,
  delivery_id text not null,
  event_id text not null,
  number integer not null,
  started_at timestamptz not null,
  duration_ms integer not null,
  status integer,
  answer bytea,
  outcome text not null check (outcome in ('delivered', 'retry', 'exhausted', 'endpoint_gone')),
  reason text not null,
  next text not null,
  primary key (tenant_id, delivery_id, number, id, started_at)
) partition by range (started_at);

-- Makes the days from yesterday to days_ahead; safe to call from several processes at once.
create function ensure_partitions(days_ahead integer) returns void language plpgsql as $$
declare
  parent text;
  day date;
begin
  perform pg_advisory_xact_lock(hashtext('ensure_partitions'));
  foreach parent in array array['notification', 'event', 'delivery_finished', 'attempt'] loop
    for offset_days in -1 .. days_ahead loop
      day := (now() at time zone 'utc')::date + offset_days;
      execute format(
        'create table if not exists %I partition of %I for values from (%L) to (%L)',
        parent || '_' || to_char(day, 'YYYYMMDD'), parent,
        day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
    end loop;
  end loop;
end $$;
