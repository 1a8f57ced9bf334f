-- 0008  Facts follow events a moment behind: what was just said must not count as never said.
-- expand: adds a function; old code does not call it.

-- Whether events of a number are stored that the records' follower has not applied. A function, because
-- its plan over all partitions is kept: made for each send anew it would cost more than the send's facts.
create function has_unread_events(tenant text, number text) returns boolean
language plpgsql stable as $$
declare
  read_xid xid8;
  read_seq bigint;
begin
  select xid, seq into read_xid, read_seq from follower where name = 'records';
  return found and exists (
    select from event
    where event.tenant_id = tenant and (event.xid, event.seq) > (read_xid, read_seq)
      and event.phone_number_id = number);
end $$;
