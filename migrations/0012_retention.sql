-- 0012  What is past its retention goes, and the room that it leaves is used again.
-- expand: settings of storage only.

-- Identities are pruned evenly over the day; the room is to be found before the table grows.
alter table event_identity set (
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_insert_scale_factor = 0.2
);
