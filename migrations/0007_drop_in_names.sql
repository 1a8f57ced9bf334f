-- 0007  360dialog's /multi_webhook names a number's further endpoints, and switches them on and off together.
-- expand: adds columns with constant defaults; old and new code run together.
alter table webhook_endpoint add column name text;
alter table phone_number add column multi_webhook_enabled boolean not null default false;
