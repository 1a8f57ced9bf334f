-- 0025  A suspended tenant's endpoints stop, and afterwards are what they were; an erasure that was asked for outlives its process.
-- expand: adds a nullable column without a default, and a table. No lock longer than a statement.
alter table webhook_endpoint add column suspended_from text
  check (suspended_from in ('active', 'held', 'paused', 'disabled'));
update webhook_endpoint w set suspended_from = w.state,
  state = case w.state when 'disabled' then w.state else 'paused' end,
  stopped_at = coalesce(w.stopped_at, now()), probe_at = null
from tenant t where t.id = w.tenant_id and t.state = 'suspended';

-- Whom it is about is sealed: nothing of it may be read from a dump.
create table erasure (
  id text primary key,
  tenant_id text not null references tenant on delete cascade,
  user_sealed bytea not null,
  phone_number_ids text[],
  -- As exactly as a process can say it, and not before what was committed then.
  asked_at timestamptz not null
    default date_trunc('milliseconds', clock_timestamp()) + interval '1 millisecond'
);
create index erasure_asked on erasure (asked_at);

-- Partner events go with retention.
create index partner_event_received on partner_event (received_at);
