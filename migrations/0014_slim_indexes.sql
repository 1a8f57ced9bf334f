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
-- Rows do not stay: what is vacuumed is what was claimed or ended, never what was only added. To freeze
-- a million rows that are about to go held everything up for seconds.
alter table delivery set (autovacuum_vacuum_insert_threshold = -1);

-- The primary key had finished_at in it, as a partition's must, and so kept nothing unique. All three states
-- together are the readers' order.
drop index delivery_finished_by_id;
drop index delivery_finished_in_state;
alter table delivery_finished drop constraint delivery_finished_pkey;
create index delivery_finished_in_state
  on delivery_finished (tenant_id, state, event_xid, event_seq);
create index delivery_finished_by_id on delivery_finished (hashtextextended(id, 0));
