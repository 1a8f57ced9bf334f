-- 0004  Guards and what they know: windows, opt-ins and opt-outs, destination rules, the templates of each WABA.
-- expand: new tables, and new columns with constant defaults, which rewrite nothing.

-- Only what is set: a guard that is not a member is off for a tenant, and as its tenant's for a number.
alter table tenant add column guards jsonb not null default '{}';
alter table phone_number add column guards jsonb not null default '{}';
-- Since when all that users write to the number comes here. Of numbers that were here before, only
-- what comes from now on is known.
alter table phone_number add column watched_since timestamptz not null default now();

-- user_id is the phone number in digits or the business-scoped id; a user with both has two rows.
create table customer_service_window (
  tenant_id text not null references tenant on delete cascade,
  phone_number_id text not null,
  user_id text not null,
  last_inbound_at timestamptz not null,
  primary key (tenant_id, phone_number_id, user_id)
);

create table opt_in (
  tenant_id text not null references tenant on delete cascade,
  phone_number_id text not null,
  user_id text not null,
  source text not null,
  obtained_at timestamptz not null,
  proof text not null,
  recorded_at timestamptz not null default now(),
  primary key (tenant_id, phone_number_id, user_id)
);

-- What the user last said about marketing in WhatsApp itself.
create table marketing_preference (
  tenant_id text not null references tenant on delete cascade,
  phone_number_id text not null,
  user_id text not null,
  stopped_at timestamptz,
  resumed_at timestamptz,
  primary key (tenant_id, phone_number_id, user_id)
);

create table destination_rule (
  id text primary key,
  country text not null check (country ~ '^[A-Z]{2}$'),
  effect text not null check (effect in ('blocked', 'marketing_blocked')),
  from_at timestamptz not null,
  until_at timestamptz,
  note text,
  created_at timestamptz not null default now()
);
insert into destination_rule (id, country, effect, from_at, note) values
  ('dst_00000000000000000000000001', 'CU', 'blocked', '2018-08-01T00:00:00Z', 'Shipped: WhatsApp Business does not serve Cuba (sanctions).'),
  ('dst_00000000000000000000000002', 'IR', 'blocked', '2018-08-01T00:00:00Z', 'Shipped: WhatsApp Business does not serve Iran (sanctions).'),
  ('dst_00000000000000000000000003', 'KP', 'blocked', '2018-08-01T00:00:00Z', 'Shipped: WhatsApp Business does not serve North Korea (sanctions).'),
  ('dst_00000000000000000000000004', 'SY', 'blocked', '2018-08-01T00:00:00Z', 'Shipped: WhatsApp Business does not serve Syria (sanctions).'),
  ('dst_00000000000000000000000005', 'US', 'marketing_blocked', '2025-04-01T00:00:00Z', 'Shipped: Meta delivers no marketing templates to numbers of the United States since 1 April 2025.');

-- status in lower case and category in upper case, whoever told; components as json, not jsonb,
-- because jsonb refuses U+0000. changed_at: what is older than this says nothing new.
create table template (
  tenant_id text not null references tenant on delete cascade,
  waba_id text not null,
  name text not null,
  language text not null,
  category text,
  status text,
  quality text,
  components json,
  external_id text,
  changed_at timestamptz not null,
  synced_at timestamptz,
  primary key (tenant_id, waba_id, name, language)
);

-- The WABAs whose templates somebody needs. asked_at: when they were last asked for; next_at: when
-- they are fetched next; synced_at: when all of them were last here.
create table template_sync (
  tenant_id text not null references tenant on delete cascade,
  waba_id text not null,
  asked_at timestamptz not null default now(),
  next_at timestamptz not null default now(),
  synced_at timestamptz,
  failed_count integer not null default 0,
  failure text,
  primary key (tenant_id, waba_id)
);
create index template_sync_due on template_sync (next_at);
