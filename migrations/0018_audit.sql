-- 0018  Who changed what: an entry before each writing call and one after it, and a chain of hashes over them.
-- expand: new tables.

create table audit_entry (
  -- The readers' order: see decision 4.
  xid xid8 not null default pg_current_xact_id(),
  seq bigint generated always as identity,
  id text not null unique,
  -- To the millisecond, as it is shown and hashed.
  at timestamptz(3) not null default clock_timestamp(),
  phase text not null check (phase in ('begun', 'ended', 'done')),
  request_id text,
  actor_kind text not null check (actor_kind in ('partner', 'tenant', 'job')),
  -- A client's id, or a job's name.
  actor text not null,
  -- Whose client it was; null for the partner and for jobs.
  actor_tenant_id text,
  operation text not null,
  status integer,
  code text,
  -- json and not jsonb: it keeps the text that was hashed.
  target json not null,
  before json,
  after json,
  primary key (xid, seq)
);
create index audit_entry_of_request on audit_entry (request_id);

-- Each entry's place, and the hash over it and all before it.
create table audit_link (
  position bigint primary key,
  entry_id text not null unique,
  hash bytea not null
);

-- Where the chain ends, so that it cannot be cut short unnoticed.
create table audit_head (
  singleton boolean primary key default true check (singleton),
  position bigint not null default 0,
  hash bytea not null default '\x',
  xid xid8 not null default '0',
  seq bigint not null default 0
);
insert into audit_head default values;
