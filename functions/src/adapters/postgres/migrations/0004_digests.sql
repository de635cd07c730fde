-- The registry's digest of the member as it was applied, of which two numbers of 32 bits are kept; null where the registry
-- gave none. Sums of them over a bucket of members tell whether the register and the registry hold the same.
alter table public.members
  add column digest_a bigint,
  add column digest_b bigint,
  -- The first byte of SHA-256 of the kennitala.
  add column digest_bucket smallint not null
    generated always as (get_byte(sha256(decode(kennitala, 'escape')), 0)::smallint) stored;
