import type { CodeTexts } from './kinds.ts';

export const statesEn: Pick<
  CodeTexts,
  | 'outcome'
  | 'trigger'
  | 'why'
  | 'queue'
  | 'fieldOutcome'
  | 'retry'
  | 'conflict'
  | 'keep'
  | 'reason'
  | 'sweep'
  | 'field'
> = {
  outcome: {
    published: 'published',
    unchanged: 'unchanged',
    blocked: 'blocked',
    partial: 'in part',
    failed: 'failed',
    'dry-run': 'dry run',
    skipped: 'skipped',
    running: 'running',
    success: 'done',
    error: 'failed',
  },
  trigger: {
    schedule: 'the schedule',
    http: 'a person',
    local: 'the local stack',
    event: 'an event',
  },
  why: {
    never_run: 'has never run',
    overdue: 'is overdue',
    last_run_failed: 'the last run failed',
    last_run_blocked: 'the last run was blocked by the guard',
    last_run_partial: 'the last run finished only in part',
    run_crashed: 'a run crashed',
    paused: 'is paused',
    paused_too_long: 'has been paused for more than a week',
    ahead_of_registry: 'holds members in a later version than the registry has',
    hints_unconfirmed: 'hints of the registry that no run has decided for two days',
    dead_letters_waiting: 'edits that could not be delivered: {count}',
    conflicts_waiting: 'conflicts to decide: {count}',
    queue_stuck: 'edits have waited for too long',
    last_sweep_failed: 'the last nightly sweep did not go well',
  },
  queue: { pending: 'waits', synced: 'delivered', failed: 'dead letter', conflict: 'in conflict' },
  fieldOutcome: {
    synced: 'delivered',
    superseded: 'a later edit took its place',
    cancelled: 'taken back by the member',
    failed: 'given up',
    conflict: 'in conflict',
  },
  retry: {
    delivered: 'The registry has it.',
    given_up: 'The registry refused it again.',
    conflict: 'The registry has another value by now: it is among the conflicts.',
    waiting: 'The registry does not have it yet. The nightly sweep (03:30) tries again.',
    busy: 'The member’s edits are being delivered already. Look again in some minutes.',
  },
  conflict: { open: 'open', resolved: 'decided' },
  keep: { portal: 'portal', registry: 'registry', value: 'other value' },
  reason: {
    later: 'it was later',
    'too-close': 'both within an hour',
    incomparable: 'the times cannot be compared',
  },
  sweep: {
    running: 'running',
    success: 'went well',
    partial: 'in part',
    error: 'failed',
    unknown: 'not known',
  },
  field: {
    name: 'name',
    email: 'e-mail',
    phone: 'phone',
    'profile.name': 'name',
    'profile.birthday': 'birthday',
    'profile.email': 'e-mail',
    'profile.phone': 'phone',
    'profile.foreign_phone': 'phone abroad',
    'profile.facebook': 'Facebook',
    'profile.gender': 'gender',
    'profile.housing_situation': 'housing',
    'profile.reachable': 'may be contacted',
    'profile.groupable': 'may be put in groups',
    'profile.addresses': 'addresses',
    'membership.status': 'membership',
    'membership.date_joined': 'date of joining',
    'membership.unions': 'branches',
    'membership.titles': 'titles',
  },
};
