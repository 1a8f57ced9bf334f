-- 0003  What became of each send: the message log, its statuses, and the numbers media ids were seen on.
-- expand: new tables; an index on event, whose building takes as long as the stored events are many.

-- How far each follower of events has come.
create table follower (
  name text primary key,
  xid xid8 not null,
  seq bigint not null
);
create index event_of_all_in_order on event (xid, seq);

-- Partitions of every partitioned table of ours, whatever it is: a new one needs no change here.
create or replace function ensure_partitions(days_ahead integer) returns void language plpgsql as $$
declare
  parent text;
  day date;
begin
  perform pg_advisory_xact_lock(hashtext('ensure_partitions'));
  for parent in
    select c.relname from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
    where c.relnamespace = current_schema()::regnamespace order by c.relname
  loop
    for offset_days in -1 .. days_ahead loop
      day := (now() at time zone 'utc')::date + offset_days;
      execute format(
        'create table if not exists %I partition of %I for values from (%L) to (%L)',
        parent || '_' || to_char(day, 'YYYYMMDD'), parent,
        day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
    end loop;
  end loop;
end $$;

-- Each send. created_at is when it was about to be written upstream. recipient_key is what users are
-- compared by. A row is written once, keeps its place (xid, seq) and is updated when more is known.
create table message (
  tenant_id text not null,
  id text not null,
  xid xid8 not null default pg_current_xact_id(),
  seq bigint generated always as identity,
  phone_number_id text not null,
  client_id text not null,
  operation text not null,
  recipient text,
  recipient_key text,
  type text,
  callback_data text,
  content_type text,
  body bytea not null,
  state text not null
    check (state in ('sending', 'accepted', 'refused', 'unknown', 'unresolved')),
  answer_status integer,
  answer_content_type text,
  answer_body bytea,
  wamid text,
  created_at timestamptz not null,
  answered_at timestamptz,
  resolved_at timestamptz,
  primary key (tenant_id, id, created_at)
) partition by range (created_at);
create index message_in_order on message (tenant_id, xid, seq);
create index message_by_wamid on message (tenant_id, wamid) where wamid is not null;
create index message_open on message (created_at) where state in ('sending', 'unknown');

-- What was said of each wamid, ours or not. A day of its own in the key, because a key of a
-- partitioned table must hold what it is partitioned by; what is repeated on a later day is told
-- from new by the event's identity, and by whoever reads it. errors and pricing are JSON as text.
create table message_status (
  tenant_id text not null,
  phone_number_id text not null,
  wamid text not null,
  status text not null,
  recipient text not null,
  day date not null default (now() at time zone 'utc')::date,
  recipient_key text,
  user_key text,
  callback_data text,
  happened_at timestamptz not null,
  received_at timestamptz not null,
  event_id text not null,
  errors text,
  pricing text,
  primary key (tenant_id, wamid, status, recipient, phone_number_id, day)
) partition by range (day);
create index message_status_of_recipient
  on message_status (tenant_id, phone_number_id, recipient_key, happened_at);
create index message_status_of_user
  on message_status (tenant_id, phone_number_id, user_key, happened_at)
  where user_key is not null;

-- The number that a media id was last seen on. Not in partitions: a media id is looked up without a
-- day and seen again on later ones, so it has one row, and what is 30 days old is deleted.
create table media_id (
  tenant_id text not null,
  media_id text not null,
  phone_number_id text not null,
  seen_at timestamptz not null default now(),
  primary key (tenant_id, media_id)
);
create index media_id_seen on media_id (seen_at);
