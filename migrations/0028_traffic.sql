-- 0028  How many events of each number came in each hour, whether or not somebody receives them: what is
--       usual of a number is known without an endpoint too, and for longer than events are kept.
-- expand: a new table. What the ledger has of before is taken over: the largest count among a number's
--         endpoints, in which events of our own are counted too.

create table traffic (
  tenant_id text not null,
  phone_number_id text not null,
  hour timestamptz not null,
  events integer not null,
  primary key (tenant_id, phone_number_id, hour)
);
create index traffic_by_hour on traffic (hour);

insert into traffic (tenant_id, phone_number_id, hour, events)
select l.tenant_id, l.phone_number_id, l.hour, max(l.received)
from ledger l join ledger_hour h on h.hour = l.hour and h.pass = l.pass
where l.phone_number_id <> ''
group by l.tenant_id, l.phone_number_id, l.hour;
