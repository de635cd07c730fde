/** $1 the id of the run's row in sync_log, $2 when it started. */
export const INSERT_ADDED = `
  with added as (
    insert into public.members
           (kennitala, name, email, phone, is_active, added_at, sync_source, external_id, metadata, last_verified_at)
    select kennitala, name, email, phone, true, $2, 'django', external_id, metadata, $2
      from planned_changes where kind = 'added' order by kennitala
    returning id
  )
  insert into public.member_changes (log_id, member_id, kind, changed_at) select $1, id, 'added', $2 from added`;

/** Who comes back keeps the row and its id, by which the services know them. */
export const UPDATE_CHANGED = `
  with changed as (
    update public.members m
       set name = p.name, email = p.email, phone = p.phone, external_id = p.external_id, metadata = p.metadata,
           is_active = true, removed_at = null, sync_source = 'django', last_verified_at = $2
      from planned_changes p
     where p.id = m.id and p.kind in ('updated', 'reactivated')
    returning m.id, p.kind
  )
  insert into public.member_changes (log_id, member_id, kind, changed_at) select $1, id, kind, $2 from changed`;

/** The time of the last check that still found them is written down, since the view stops counting for them. */
export const DEACTIVATE_REMOVED = `
  with removed as (
    update public.members m
       set is_active = false, removed_at = $2, last_verified_at = v.last_verified_at
      from planned_changes p
      join public.members_verified v on v.id = p.id
     where p.id = m.id and p.kind = 'removed'
    returning m.id
  )
  insert into public.member_changes (log_id, member_id, kind, changed_at) select $1, id, 'removed', $2 from removed`;

/** Whom the run could not read keeps the time of before it; written before the run's own time counts. */
export const KEEP_UNVERIFIED = `
  insert into public.member_unverified (member_id, last_verified_at)
  select v.id, v.last_verified_at
    from public.members_verified v
   where v.is_active
     and exists (select from unreadable_members u where u.kennitala = v.kennitala or u.external_id = v.external_id)
  on conflict (member_id) do nothing`;

export const FORGET_VERIFIED = `
  delete from public.member_unverified k
   using public.members m
   where m.id = k.member_id
     and not exists (select from unreadable_members u where u.kennitala = m.kennitala or u.external_id = m.external_id)`;

export const INSERT_NOTIFICATION = `
  insert into public.notification_outbox (message_id, subscriber, body) values ($1, $2, $3)
  on conflict (message_id, subscriber) do nothing`;

/** Only from pending: a commit whose answer was lost and that did take effect is not written over. */
export const CLOSE_LOG = `
  update public.sync_log
     set status = $2, members_added = $3, members_removed = $4, members_verified = $5, error_count = $6,
         details = details || $7::jsonb
   where id = $1 and status = 'pending'`;
