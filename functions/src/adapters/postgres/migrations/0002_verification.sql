-- Members who are in the register but whom the last run could not read: they keep their own time of verification.
create table public.member_unverified (
  member_id integer primary key references public.members (id) on delete cascade,
  last_verified_at timestamptz
);

-- The members with the time at which the registry last confirmed each one. A run that changes nothing writes no member
-- row; whom it read without a difference was verified at that run's time.
create view public.members_verified as
select m.id, m.kennitala, m.name, m.email, m.phone, m.is_active, m.added_at, m.removed_at, m.sync_source,
       m.external_id, m.metadata,
       case when m.is_active and u.member_id is null then greatest(m.last_verified_at, s.verified_at)
            else greatest(m.last_verified_at, u.last_verified_at)
       end as last_verified_at
  from public.members m
  left join public.member_unverified u on u.member_id = m.id
  cross join (
    select max(sync_timestamp) as verified_at
      from public.sync_log
     where status = 'success' and sync_type in ('membership', 'manual')
  ) s;
