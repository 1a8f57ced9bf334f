-- 0031  Deliveries are found by what their ids begin with. An id is a digest, so each entry of an index of ids went to
--       a page of its own: with 100 endpoints a fifth of what a notification cost (docs/decisions/0025).
-- expand: other indexes for the same questions, whose building takes as long as events and deliveries are many. Old
--         code still finds what it asks for by id, and reads all deliveries for that.

-- A new delivery's id begins with these six bytes, and a live one is found by its event.
create index event_by_identity on event (substring(identity from 1 for 6));

-- What is live now, and what old code makes, has an id that says nothing of the event.
drop index delivery_by_id;
create index delivery_by_older_id on delivery (substr(id, 1, 17)) where substr(id, 5, 1) <> 'x';
alter index delivery_by_older_id alter column 1 set statistics 10;

-- Finished ones outlive their events; those of one event stand side by side, under a key that is kept once.
drop index delivery_finished_by_id;
create index delivery_finished_by_id on delivery_finished (substr(id, 1, 17));
