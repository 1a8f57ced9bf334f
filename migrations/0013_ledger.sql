-- 0013  For every number, endpoint and hour: what came is what was owed and what was filtered, and what was
--       owed is there, in some state. What was owed is told by the event, as it was decided when it came.
-- expand: new tables and columns; an event of before has no `owed` and is not judged. Numbering the
--         endpoints rewrites their table, which is small.

-- A short name of an endpoint, so that an event can hold a hundred of them.
alter table webhook_endpoint add column serial integer generated always as identity;
alter table event add column owed integer[];

-- What an event was owed to may be deleted before the event is counted.
create table deleted_endpoint (
  endpoint_id text primary key,
  tenant_id text not null,
  serial integer not null,
  created_at timestamptz not null,
  deleted_at timestamptz not null default now()
);
create index deleted_endpoint_of_tenant on deleted_endpoint (tenant_id);

-- Hours that are closed: no transaction that began in them is open. Counted again while something in them
-- is live, after a replay, and once a day.
create table ledger_hour (
  hour timestamptz primary key,
  -- The last count that was complete, and when it was made.
  pass integer not null default 0,
  counted_at timestamptz,
  -- The count under way: since when, and how far.
  began_at timestamptz,
  xid xid8 not null default '0',
  seq bigint not null default 0,
  count_again_at timestamptz not null default now(),
  -- Of the last complete count.
  received bigint not null default 0,
  filtered bigint not null default 0,
  delivered bigint not null default 0,
  exhausted bigint not null default 0,
  cancelled bigint not null default 0,
  live bigint not null default 0,
  missing bigint not null default 0
);
create index ledger_hour_due on ledger_hour (count_again_at);

-- phone_number_id is '' for what concerns no number. Held ones are pending here: that follows from the
-- endpoint's state now.
create table ledger (
  tenant_id text not null,
  hour timestamptz not null,
  -- Compared as bytes, like the rows that are counted when they are read.
  endpoint_id text collate "C" not null,
  phone_number_id text collate "C" not null,
  pass integer not null,
  received bigint not null,
  filtered bigint not null,
  delivered bigint not null,
  exhausted bigint not null,
  cancelled bigint not null,
  pending bigint not null,
  delivering bigint not null,
  missing bigint not null,
  primary key (tenant_id, hour, endpoint_id, phone_number_id, pass)
) partition by range (hour);

-- Each delivery that was owed and was not there when it was counted; told once.
create table ledger_drift (
  tenant_id text not null,
  hour timestamptz not null,
  endpoint_id text not null,
  phone_number_id text not null,
  event_id text not null,
  found_at timestamptz not null default now(),
  primary key (tenant_id, hour, endpoint_id, event_id)
);
select ensure_partitions(7);
