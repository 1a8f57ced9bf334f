-- 0010  A signing secret may be changed while receivers still check by the old one, and a URL that was
--       proved by a token is proved again by it when it changes.
-- expand: adds columns that old code does not read; an old process signs with the newest secret only.

alter table webhook_endpoint
  -- Signs beside the newest until then.
  add column previous_signing_secret_sealed bytea,
  add column previous_signing_secret_until timestamptz,
  add column verify_token_sealed bytea,
  -- A fitness test is under way, at the latest until then; no other begins before.
  add column fitness_until timestamptz;
