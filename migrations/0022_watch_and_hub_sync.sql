-- 0022  Each number is looked after in turn, by whichever process has the turn; and what 360dialog has of
--       the partner's channels is compared with what is here, told, and applied when it was agreed to.
-- expand: new tables.

-- When a number is looked after next. A number without a row gets one soon.
create table number_watch (
  number_id text primary key references phone_number on delete cascade,
  due_at timestamptz not null
);
create index number_watch_due on number_watch (due_at);

-- A comparison; next_offset is how far its list of channels has been read.
create table hub_sync (
  id text primary key,
  rules jsonb not null,
  state text not null default 'running' check (state in ('running', 'finished', 'failed')),
  stage text not null default 'channels' check (stage in ('channels', 'numbers')),
  next_offset integer not null default 0,
  next_number_id text not null default '',
  channels integer not null default 0,
  failed_count integer not null default 0,
  due_at timestamptz not null default now(),
  failure text,
  created_at timestamptz not null default now(),
  finished_at timestamptz
);
create index hub_sync_running on hub_sync (due_at) where state = 'running';

-- The numbers whose channels were in the list.
create table hub_sync_seen (
  sync_id text not null references hub_sync on delete cascade,
  number_id text not null,
  primary key (sync_id, number_id)
);

-- What is not the same here and there. The id is made of what differs, so that the same difference has the
-- same id in every comparison.
create table hub_difference (
  sync_id text not null references hub_sync on delete cascade,
  id text not null,
  seq bigint generated always as identity,
  kind text not null,
  channel_id text not null,
  hub_client_id text,
  client_name text,
  number_id text,
  matched_tenant_id text,
  rule text,
  field text,
  here text,
  there text,
  applied_at timestamptz,
  primary key (sync_id, id)
);
create unique index hub_difference_in_order on hub_difference (sync_id, seq);
