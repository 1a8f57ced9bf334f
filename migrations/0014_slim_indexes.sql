-- 0014  A delivery is written into its indexes at each of its steps (made, leased, ended), so there are few and
--       they are narrow: no column that another one implies, an id by its hash, and equal keys that PostgreSQL
--       keeps once.
-- expand: other indexes for the same questions, whose building takes as long as the deliveries are many.

-- The key gives the order within an endpoint, so that no other index has to; a list of several endpoints
-- is merged from theirs.
drop index delivery_by_id;
drop index delivery_of_endpoint;
alter table delivery drop constraint delivery_pkey;
alter table delivery add primary key (tenant_id, endpoint_id, event_xid, event_seq);
create index delivery_by_id on delivery (hashtextextended(id, 0));

-- Rows go again, one by one or by the day: what is vacuumed is what was changed, never what was only added.
-- To freeze a million rows that are about to go held every commit up for seconds.
alter table delivery set (autovacuum_vacuum_insert_threshold = -1);
alter table event_identity set (autovacuum_vacuum_insert_threshold = -1);
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
        'create table if not exists %I partition of %I for values from (%L) to (%L)
          with (autovacuum_vacuum_insert_threshold = -1)',
        parent || '_' || to_char(day, 'YYYYMMDD'), parent,
        day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
    end loop;
  end loop;
end $$;

-- The primary key had finished_at in it, as a partition's must, and so kept nothing unique. All three states
-- together are the readers' order.
drop index delivery_finished_by_id;
drop index delivery_finished_in_state;
alter table delivery_finished drop constraint delivery_finished_pkey;
create index delivery_finished_in_state
  on delivery_finished (tenant_id, state, event_xid, event_seq);
create index delivery_finished_by_id on delivery_finished (hashtextextended(id, 0));
