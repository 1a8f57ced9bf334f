-- 0020  Statuses of what a tenant sent come to that tenant, also when its number is another's by then.
-- expand: a new table.

-- tenant_id is whose the number was until moved_at.
create table number_move (
  tenant_id text not null references tenant on delete cascade,
  number_id text not null references phone_number on delete cascade,
  moved_at timestamptz not null default now(),
  primary key (tenant_id, number_id)
);
create index number_move_of_number on number_move (number_id);
