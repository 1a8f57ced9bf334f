-- 0009  An endpoint is held, probed, ramped and limited as a whole, and may take what concerns one
--       user in order. Whether a delivery is held follows from its endpoint and is no longer
--       written to each of its rows: to hold 500,000 of them, or to release them, is one update.
-- expand: new columns with defaults that cost no rewrite. Rows that were held become pending.

alter table webhook_endpoint
  add column ordering text not null default 'none' check (ordering in ('none', 'conversation')),
  add column rate_per_second integer,
  -- Failures in a row, and since when; a success clears both.
  add column failure_count integer not null default 0,
  add column failing_since timestamptz,
  -- While held: when it is probed next, and how often it has been in vain.
  add column probe_at timestamptz,
  add column probe_count integer not null default 0,
  -- It has asked for a pause (Retry-After).
  add column not_before timestamptz,
  -- How many a second it is given for now, and since its last complaint no more than doubled.
  add column ramp_per_second real,
  add column ramp_slowed_at timestamptz,
  -- The bucket of rate_per_second and ramp_per_second.
  add column pace_tokens real not null default 1,
  add column pace_at timestamptz,
  -- The horizon of a delivery runs only while its endpoint is active: since when it is not, and for
  -- how long it has not been before.
  add column stopped_at timestamptz,
  add column stopped_ms bigint not null default 0;
-- Claims lock the row and change its condition: the new version should fit beside the old.
alter table webhook_endpoint set (fillfactor = 50);
update webhook_endpoint set stopped_at = now() where state <> 'active';

alter table delivery
  -- Of an endpoint in order: a digest of number and user.
  add column conversation bytea,
  -- What the endpoint's stopped_ms was when this was made.
  add column stopped_ms_before bigint not null default 0,
  -- When it was last opened again by hand, and how many attempts there had been by then.
  add column replayed_at timestamptz,
  add column attempts_before_replay integer;
alter table delivery_finished
  add column conversation bytea,
  add column replayed_at timestamptz,
  add column attempts_before_replay integer,
  -- Why it ended, where that is not the last attempt's to tell: retention.
  add column reason text;
update delivery set state = 'pending', next_attempt_at = coalesce(next_attempt_at, now())
  where state = 'held';
alter table delivery drop constraint delivery_state_check;
alter table delivery add constraint delivery_state_check check (state in ('pending', 'delivering'));
alter table delivery alter column next_attempt_at set not null;

create index delivery_in_conversation on delivery (endpoint_id, conversation, event_xid, event_seq)
  where conversation is not null;
