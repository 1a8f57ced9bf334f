-- 0031  A live delivery is found by its event, and no longer by an index of its ids. Ids are digests, so each entry
--       went to a page of its own: with 100 endpoints a fifth of what a notification cost (docs/decisions/0025).
-- expand: an index on event, whose building takes as long as the stored events are many. Old code still finds what
--         it asks for by id, and reads all live deliveries for that.

-- A delivery's id begins with these six bytes.
create index event_by_identity on event (substring(identity from 1 for 6));

-- What is live now, and what old code makes, keeps an id that says nothing of the event.
drop index delivery_by_id;
create index delivery_by_older_id on delivery (hashtextextended(id, 0)) where substr(id, 5, 1) <> 'x';
alter index delivery_by_older_id alter column 1 set statistics 10;
