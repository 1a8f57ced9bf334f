-- 0011  Pages and replays of one endpoint, one state or one span of time read no more than they show.
-- expand: new indexes, whose building takes as long as the finished deliveries are many; a new table.

-- Each holds the readers' order behind what a list can be filtered by.
create index delivery_finished_of_endpoint
  on delivery_finished (tenant_id, endpoint_id, state, event_xid, event_seq);
create index delivery_finished_in_state
  on delivery_finished (tenant_id, state, event_xid, event_seq, endpoint_id);
create index delivery_of_endpoint on delivery (tenant_id, endpoint_id, event_xid, event_seq);

-- Which transaction was next at a moment: what was written later has no smaller xid, so a span of time is
-- a span of the readers' order.
create table xid_mark (
  at timestamptz primary key,
  xid xid8 not null
);
