-- 0001  Who may call and what they own: tenants, their clients, their numbers with sealed keys.
-- expand: new tables only.

-- One row. id: tells this gateway's keys and channels in a shared Redis from another's. min_version: the oldest migration that a running process must know; raised only by a
-- contract migration, so that an image older than that refuses to start.
create table installation (
  one boolean primary key default true check (one),
  id uuid not null default gen_random_uuid(),
  min_version text not null,
  created_at timestamptz not null default now()
);
insert into installation (min_version) values ('0001_tenancy');

create table tenant (
  id text primary key,
  name text not null,
  external_id text unique,
  state text not null default 'active' check (state in ('active', 'suspended')),
  created_at timestamptz not null default now()
);

-- tenant_id is null for the partner's own clients. The bootstrap client is the one whose id and
-- secret come from the environment.
create table client (
  id text primary key,
  tenant_id text references tenant on delete cascade,
  name text,
  secret_sha256 bytea not null,
  scopes text[] not null,
  phone_number_ids text[],
  bootstrap boolean not null default false,
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);
create index client_of_tenant on client (tenant_id, created_at, id);

-- Keys that sign our tokens. A key is published before it signs (active_from) and for as long as
-- a token that it signed may live.
create table signing_key (
  id text primary key,
  public_jwk jsonb not null,
  private_key_sealed bytea not null,
  active_from timestamptz not null,
  created_at timestamptz not null default now()
);

create table phone_number (
  id text primary key,
  tenant_id text not null references tenant on delete cascade,
  phone_number_id text not null constraint number_taken unique,
  display_phone_number text,
  waba_id text,
  channel_id text constraint channel_taken unique,
  hub_client_id text,
  state text not null default 'pending'
    check (state in ('pending', 'running', 'key_rejected', 'suspended')),
  onboarding_stage text check (onboarding_stage in ('linked', 'created', 'ready', 'running', 'live',
    'permission_missing', 'restricted', 'cancelled')),
  api_key_sealed bytea,
  key_last4 text,
  base_url text,
  throughput integer not null default 80 check (throughput in (20, 80, 1000)),
  quality text,
  local_storage_region text,
  created_at timestamptz not null default now()
);
create index phone_number_of_tenant on phone_number (tenant_id, created_at, id);
create index phone_number_of_waba on phone_number (waba_id);

-- The addresses registered at 360dialog. A rotated one is honoured until expires_at, because
-- 360dialog may still repeat to it what it could not deliver before.
create table hook (
  token_sha256 bytea primary key,
  secret_sha256 bytea not null,
  number_id text not null references phone_number on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz
);
create index hook_of_number on hook (number_id);

-- What other processes must forget: each reads past what it has seen, once a second.
create table change (
  seq bigint generated always as identity primary key,
  kind text not null,
  key text not null,
  changed_at timestamptz not null default clock_timestamp()
);
create index change_recent on change (changed_at);
