-- 0005  Tokens end before they expire, live longer than an hour, and come from other issuers.
-- expand: new tables only. An older image cannot delete a signing key that a long-lived token needs.

-- A token that ended early, by its jti, for as long as it would have lived.
create table revoked_token (
  jti text primary key,
  expires_at timestamptz not null
);
create index revoked_token_expired on revoked_token (expires_at);

-- What a tenant's client made for tools that cannot refresh; the id is the token's jti, the token
-- itself is kept nowhere. Its signing key stays published while it lives.
create table long_lived_token (
  id text primary key,
  tenant_id text not null references tenant on delete cascade,
  client_id text not null references client on delete cascade,
  name text not null,
  scopes text[] not null,
  phone_number_ids text[],
  signing_key_id text not null references signing_key,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index long_lived_token_of_tenant on long_lived_token (tenant_id, id);
create index long_lived_token_of_client on long_lived_token (client_id);
create index long_lived_token_of_signing_key on long_lived_token (signing_key_id);

-- An identity provider whose tokens are taken: for one tenant whatever they claim, or for the
-- tenant of tenant_ids that their claim tenant_claim names.
create table issuer (
  id text primary key,
  iss text not null,
  audience text not null,
  jwks_url text not null,
  algorithms text[] not null,
  scopes text[] not null,
  tenant_id text references tenant on delete cascade,
  tenant_claim text,
  tenant_ids text[],
  created_at timestamptz not null default now(),
  constraint issuer_taken unique (iss, audience),
  check ((tenant_id is null) <> (tenant_claim is null)),
  check ((tenant_claim is null) = (tenant_ids is null))
);
create index issuer_of_tenant on issuer (tenant_id);
