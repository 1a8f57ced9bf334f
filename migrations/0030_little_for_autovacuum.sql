-- 0030  Beside notifications that come fast autovacuum took a core for seconds, and their commits waited.
-- expand: settings of storage only.

-- The days that a new database begins with were made before 0014 said that no day is vacuumed for what is
-- added to it. They are dropped whole.
do $$
declare
  day text;
begin
  for day in
    select c.oid::regclass::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
    join pg_partitioned_table p on p.partrelid = i.inhparent
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
  loop
    execute format('alter table %s set (autovacuum_vacuum_insert_threshold = -1)', day);
  end loop;
end $$;

-- To analyze a table 300 rows are read for each value that is kept of a column, 100 by default: 30,000 places
-- all over a large table. What is live is asked for by its keys alone, for which a tenth of that is plenty.
do $$
declare
  name text;
begin
  for name in
    select attname from pg_attribute
    where attrelid = 'delivery'::regclass and attnum > 0 and not attisdropped
  loop
    execute format('alter table delivery alter column %I set statistics 10', name);
  end loop;
end $$;
-- Its expression is a column too.
alter index delivery_by_id alter column 1 set statistics 10;
