-- 0021  What is wrong and wants a person is told once, listed while it lasts, and told again when it is over.
-- expand: a new table.

-- subject is what the alert is about: the id of an endpoint, number or tenant, or '' for the gateway as a
-- whole; the columns beside it are for filters. tenant_id is whose it was when the alert was raised.
create table alert (
  id text primary key,
  seq bigint generated always as identity unique,
  kind text not null,
  subject text not null,
  tenant_id text references tenant on delete cascade,
  number_id text references phone_number on delete cascade,
  phone_number_id text,
  endpoint_id text,
  detail text not null,
  raised_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  count integer not null default 1,
  cleared_at timestamptz
);
create unique index alert_open on alert (kind, subject) where cleared_at is null;
create index alert_of_tenant on alert (tenant_id, seq);
create index alert_of_number on alert (number_id);
create index alert_of_phone_number on alert (phone_number_id, seq);
