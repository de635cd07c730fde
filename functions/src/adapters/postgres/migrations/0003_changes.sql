-- What each run changed, for the services that are told of it. It names rows, not people. No foreign key: the check of
-- each row would take longer than the first load's insert, and members are never deleted.
create table public.member_changes (
  -- sync_log.id of the run or event.
  log_id integer not null,
  member_id integer not null,
  kind varchar(12) not null check (kind in ('added', 'reactivated', 'updated', 'removed')),
  changed_at timestamptz not null,
  primary key (log_id, member_id)
);

-- Rows come in the order of their time, so a few blocks' bounds find the old ones.
create index member_changes_changed_at_idx on public.member_changes using brin (changed_at);

-- Finds a run by the id that its notification names.
create index sync_log_run_idx on public.sync_log ((details->>'run'));

-- Notifications that a subscriber has not confirmed yet, written in the transaction of the change itself.
create table public.notification_outbox (
  id bigint generated always as identity primary key,
  message_id varchar(128) not null,
  subscriber varchar(64) not null,
  body text not null,
  created_at timestamptz not null default now(),
  next_attempt_at timestamptz not null default now(),
  attempts integer not null default 0,
  delivered_at timestamptz,
  -- Given up after the last attempt.
  failed_at timestamptz,
  last_error varchar(64),
  unique (message_id, subscriber)
);

create index notification_outbox_due_idx on public.notification_outbox (next_attempt_at)
  where delivered_at is null and failed_at is null;
