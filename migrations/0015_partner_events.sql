-- 0015  What 360dialog tells the partner is kept whole before it is answered, and applied afterwards.
-- expand: new tables and a column; old code does not know them.

-- The addresses registered as the partner's webhook; an older one is honoured until expires_at.
create table partner_hook (
  token_sha256 bytea primary key,
  created_at timestamptz not null default now(),
  expires_at timestamptz
);

-- One POST to the partner's webhook. The identity is of 360dialog's id, or of the body where it has none.
create table partner_event (
  identity bytea primary key,
  seq bigint generated always as identity,
  event text not null,
  hub_client_id text,
  channel_id text,
  body bytea not null,
  received_at timestamptz not null default now(),
  applied_at timestamptz,
  -- Why it could not be applied, if it could not.
  failure text
);
create index partner_event_due on partner_event (seq) where applied_at is null;
create index partner_event_of_client on partner_event (hub_client_id, received_at);
create index partner_event_of_channel on partner_event (channel_id, event);

alter table phone_number add column messaging_limit text;
create index phone_number_of_hub_client on phone_number (hub_client_id);
