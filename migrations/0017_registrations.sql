-- 0017  360dialog lets a number be registered ten times in 72 hours and then blocks it for 72 hours; we count
--       before it does.
-- expand: new tables.

-- 360dialog counts for the number, whoever has it here: so does this, and a number that comes back or goes to
-- another tenant brings its count along. The tenant is not part of the key.
create table registration_limit (
  phone_number_id text primary key,
  -- 72 hours from when 360dialog was last heard to refuse for too many.
  blocked_until timestamptz(3)
);

-- seq is taken while the number's row above is locked, so of one number it is the order of commits.
create table registration (
  phone_number_id text not null,
  seq bigint generated always as identity,
  id text not null unique,
  kind text not null
    check (kind in ('waba_creation', 'display_name', 'migration', 'test_number', 'local_storage')),
  note text,
  -- To the millisecond, as it is shown: else a slot would be free a little after the time that is told.
  registered_at timestamptz(3) not null,
  primary key (phone_number_id, seq)
);
