-- 0026  Where Meta stores a number's data is asked for, needs a PIN, and is confirmed: how far that has come.
-- expand: adds columns with constant defaults. No lock longer than a statement.
alter table phone_number
  add column local_storage_state text
    check (local_storage_state in ('requested', 'pin_required', 'confirmed')),
  add column local_storage_pin_attempts integer not null default 0,
  add column local_storage_changed_at timestamptz(3);
