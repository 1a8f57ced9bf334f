-- 0024  A customer's channels at 360dialog become numbers here: links, whose a client of 360dialog is, and how
--       far each channel has come.
-- expand: new tables.

-- A link for one tenant's customer: opened any number of times, used once.
create table onboarding_link (
  id text primary key,
  tenant_id text not null references tenant (id) on delete cascade,
  -- The client of 360dialog that is to share more; null for whoever signs up.
  wanted_client_id text,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  -- The last time it was opened; what counts is what is heard between then and the return.
  opened_at timestamptz,
  used_at timestamptz,
  -- What came of the return.
  outcome text check (outcome in ('accepted', 'needs_confirmation', 'refused')),
  -- Why it was refused, by its code.
  refusal text,
  hub_client_id text,
  channel_ids text[]
);
create index onboarding_link_of_tenant on onboarding_link (tenant_id);
create index onboarding_link_to_confirm on onboarding_link (id) where outcome = 'needs_confirmation';

-- A client of 360dialog is one tenant's, from when it was first linked.
create table hub_client_binding (
  hub_client_id text primary key,
  tenant_id text not null references tenant (id) on delete cascade,
  bound_at timestamptz not null default now(),
  -- What bound it: a link, a person, the hub sync.
  bound_by text not null
);
create index hub_client_binding_of_tenant on hub_client_binding (tenant_id);

create table onboarding_channel (
  channel_id text primary key,
  hub_client_id text not null,
  tenant_id text not null references tenant (id) on delete cascade,
  stage text not null default 'linked' check (stage in ('linked', 'created', 'ready', 'running', 'live',
    'permission_missing', 'restricted', 'cancelled')),
  -- Counts what was heard of it, so that what is heard while it is worked on is not forgotten.
  heard bigint not null default 1,
  -- What 360dialog said when it was last asked.
  hub_status text,
  display_phone_number text,
  seen_at timestamptz,
  -- A restriction that was told by event: until when; infinity where that was not said.
  restricted_until timestamptz,
  -- Committed before 360dialog is asked for a key: it may have made one that never came here.
  key_begun_at timestamptz,
  -- A key until the number's row has it.
  api_key_sealed bytea,
  base_url text,
  -- The number that came of it. One that was deleted since is not made again by itself.
  number_id text,
  attempt_count integer not null default 0,
  -- Why it does not go on, by code and in words.
  failure_code text,
  failure text,
  next_try_at timestamptz default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index onboarding_channel_due on onboarding_channel (next_try_at) where next_try_at is not null;
create index onboarding_channel_of_tenant on onboarding_channel (tenant_id);
