-- The register: one row a member, kept equal to the registry. The elections and events services read it.
-- "if not exists": a database that has these two tables of the agreed form already is taken over as it is.
create table if not exists public.members (
  id serial primary key,
  -- Ten digits, no hyphen. The unique constraint's index is the one by kennitala.
  kennitala varchar(10) not null unique,
  name varchar(255) not null,
  email varchar(255),
  phone varchar(20),
  is_active boolean not null default true,
  added_at timestamptz not null default now(),
  removed_at timestamptz,
  sync_source varchar(50) not null default 'django',
  -- The registry's own row number.
  external_id varchar(255),
  -- {"date_joined": ISO 8601 | null, "version": number | null}
  metadata jsonb not null default '{}',
  -- When this row was last written as the registry has it. members_verified has the time of the last check.
  last_verified_at timestamptz
) with (fillfactor = 90);

create index if not exists members_is_active_idx on public.members (is_active);

create table if not exists public.sync_log (
  id serial primary key,
  sync_type varchar(20) not null check (sync_type in ('membership', 'webhook', 'manual')),
  sync_timestamp timestamptz not null default now(),
  members_added integer not null default 0,
  members_removed integer not null default 0,
  members_verified integer not null default 0,
  error_count integer not null default 0,
  details jsonb not null default '{}',
  status varchar(20) not null check (status in ('pending', 'success', 'failed'))
);

create index if not exists sync_log_sync_timestamp_idx on public.sync_log (sync_timestamp desc);
