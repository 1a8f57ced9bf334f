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
