-- 0019  What each tenant sent and received, by day, number, category, country, direction and price, each
--       message counted once, so that the partner can write bills.
-- expand: new tables; followers fill them from the events that they have not followed yet.

-- The counts. Rows of a day that is frozen are not written any more.
create table usage (
  tenant_id text not null,
  day date not null,
  phone_number_id text collate "C" not null,
  category text collate "C" not null,
  country text collate "C" not null,
  direction text collate "C" not null check (direction in ('inbound', 'outbound')),
  billable boolean not null,
  messages bigint not null,
  primary key (tenant_id, day, phone_number_id, category, country, direction, billable)
);
create index usage_by_day on usage (day);

-- What has been heard of a message, and as what it is counted. message_key is a digest: nobody is known
-- by it.
create table usage_message (
  tenant_id text not null,
  message_key bytea not null,
  phone_number_id text not null,
  direction text not null,
  country text not null,
  -- The first day on which it is known to have arrived.
  day date,
  category text,
  billable boolean not null default false,
  price_rank smallint not null default 0,
  counted_day date,
  seen_at timestamptz not null default now(),
  primary key (tenant_id, message_key)
);
create index usage_message_seen on usage_message (seen_at);
