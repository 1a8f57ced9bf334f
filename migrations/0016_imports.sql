-- 0016  Many numbers at once: a job, and a row of it for each number, worked through one after the other.
-- expand: new tables.

create table import_job (
  id text primary key,
  dry_run boolean not null,
  -- `receiving` until the file has come whole; what came of a file that was cut off is not worked on.
  state text not null default 'receiving' check (state in ('receiving', 'running', 'finished', 'cut_off')),
  created_at timestamptz not null default now(),
  -- The last rows came, or were worked on.
  active_at timestamptz not null default now(),
  finished_at timestamptz
);
create index import_job_open on import_job (created_at, id) where state in ('receiving', 'running');

create table import_row (
  import_id text not null references import_job (id) on delete cascade,
  line integer not null,
  tenant_external_id text,
  phone_number_id text,
  -- What else the row says of the number, without its key; null when it cannot be read.
  fields jsonb,
  -- Kept only while the row waits.
  api_key_sealed bytea,
  state text not null check (state in ('pending', 'imported', 'unchanged', 'valid', 'refused')),
  code text,
  detail text,
  number_id text,
  attempt_count integer not null default 0,
  -- A try has changed something: that the number runs with this key does not say that its hook is set.
  begun boolean not null default false,
  due_at timestamptz not null default now(),
  primary key (import_id, line)
);
create index import_row_pending on import_row (import_id, due_at, line) where state = 'pending';
