-- 0029  What is not followed yet is asked for by what it says: a busy number has something unread all the time.
-- expand: adds a function; old code calls has_unread_events, which stays as it is.

-- The first events of a tenant that the records' follower has not applied. A function, because its plan
-- over all partitions is kept.
create function unread_events(tenant text, at_most integer)
returns table (type text, phone_number_id text, body bytea)
language plpgsql stable rows 10 as $$
declare
  read_xid xid8;
  read_seq bigint;
begin
  select f.xid, f.seq into read_xid, read_seq from follower f where f.name = 'records';
  if found then
    return query
      select e.type, e.phone_number_id, e.body from event e
      where e.tenant_id = tenant and (e.xid, e.seq) > (read_xid, read_seq)
      order by e.xid, e.seq limit at_most;
  end if;
end $$;

-- Where there is no mark before a time, the first one after it is gone by: a new database has one from its
-- beginning, not from its first minute on.
insert into xid_mark (at, xid) select clock_timestamp(), pg_snapshot_xmax(pg_current_snapshot())
on conflict do nothing;
