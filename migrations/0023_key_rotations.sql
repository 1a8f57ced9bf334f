-- 0023  A number's key is changed while calls go on: the change is written down before 360dialog is asked, so that a lost key is replaced.
-- expand: new tables, and a column with a default; a key that is there already counts as made now.

alter table phone_number add column key_made_at timestamptz not null default now();

create table key_rotation (
  id text primary key,
  number_id text not null references phone_number on delete cascade,
  -- `given`: a key that was made elsewhere; written down when it is done.
  reason text not null check (reason in ('manual', 'many', 'schedule', 'healing', 'given')),
  -- The client that asked for it; null where a job did so by itself.
  actor text,
  job_id text,
  opened_at timestamptz not null default clock_timestamp(),
  -- The new key was sealed: from then on calls go with it.
  made_at timestamptz,
  closed_at timestamptz,
  gap_ms integer,
  key_last4 text,
  -- Null while it is open.
  outcome text check (outcome in ('rotated', 'webhook_not_set', 'failed')),
  -- Why it failed, or why a try did.
  code text,
  detail text,
  attempt_count integer not null default 1,
  -- Who works on it, renewed while it lives; whoever finds it lapsed goes on.
  lease text,
  leased_until timestamptz,
  -- Nobody works on it until then, and calls do not wait for it.
  retry_at timestamptz
);
create unique index key_rotation_open on key_rotation (number_id) where closed_at is null;
create index key_rotation_of_number on key_rotation (number_id, opened_at);
create index key_rotation_of_job on key_rotation (job_id) where job_id is not null;

-- A number whose key 360dialog refuses, from then until it has another.
create table key_rejection (
  number_id text primary key references phone_number on delete cascade,
  rejected_at timestamptz not null default now(),
  -- Its tenant and the partner know.
  told_at timestamptz,
  heal_count integer not null default 0,
  -- When a new key is made for it; null when that is left to people.
  heal_at timestamptz default now()
);
create index key_rejection_due on key_rejection (heal_at) where heal_at is not null;
create index key_rejection_untold on key_rejection (number_id) where told_at is null;
insert into key_rejection (number_id) select id from phone_number where state = 'key_rejected';

-- The keys of many numbers, one after the other.
create table key_job (
  id text primary key,
  reason text not null check (reason in ('many', 'schedule')),
  actor text,
  per_minute integer not null,
  dry_run boolean not null,
  state text not null default 'running' check (state in ('running', 'stopped', 'finished')),
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  next_at timestamptz not null default now()
);
create index key_job_running on key_job (created_at, id) where state = 'running';

create table key_job_number (
  job_id text not null references key_job on delete cascade,
  -- Stays when the number goes.
  number_id text not null,
  state text not null default 'pending' check (state in ('pending', 'rotating', 'rotated', 'failed', 'valid')),
  rotation_id text,
  code text,
  detail text,
  due_at timestamptz not null default now(),
  primary key (job_id, number_id)
);
create index key_job_number_open on key_job_number (job_id, due_at, number_id)
  where state in ('pending', 'rotating');

-- One row: keys that are older are changed by themselves; null: none are.
create table key_schedule (
  only_one boolean primary key default true check (only_one),
  every_days integer,
  per_minute integer not null default 10,
  look_at timestamptz not null default now()
);
insert into key_schedule default values;
