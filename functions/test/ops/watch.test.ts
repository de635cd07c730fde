import { describe, expect, it } from 'vitest';
import type { LogFields, Severity } from '../../src/lib/log.ts';
import { makeOpsLogs } from '../../src/ops/ops-logs.ts';
import type { MirrorState } from '../../src/ops/ports.ts';
import type { StatusAnswer } from '../../src/ops/schemas.ts';
import { findConcerns, judgeMirror, reportConcerns } from '../../src/ops/status.ts';
import { EQUAL, QUIET, WELL } from './support/status-answers.ts';

const NOW = new Date('2026-11-23T08:00:00Z');
const hoursAgo = (hours: number) => new Date(NOW.getTime() - hours * 3_600_000);
const FRESH: MirrorState = {
  lastRun: null,
  lastSuccess: { runId: 'r', at: hoursAgo(1), memberCount: 7 },
  members: 7,
  lease: null,
  pause: null,
  registry: null,
};

const status = (
  roster: Partial<MirrorState>,
  twoWay: Partial<StatusAnswer['twoWay']> = {},
): StatusAnswer => ({
  ...WELL,
  at: NOW.toISOString(),
  mirrors: [{ ...judgeMirror('roster', { ...FRESH, ...roster }, true, NOW), agreement: EQUAL }],
  twoWay: { ...QUIET, ...twoWay },
});
const pausedFor = (hours: number) => ({ pause: { reason: 'why', by: 'who', at: hoursAgo(hours) } });
const oldest = (hours: number) => hoursAgo(hours).toISOString();

describe('what lasts too long', () => {
  it.each([
    ['nothing', status({}), []],
    ['a pause of six days', status(pausedFor(6 * 24)), []],
    ['a pause of eight days', status(pausedFor(8 * 24)), ['mirror_paused_too_long']],
    [
      'a success nine days ago',
      status({ lastSuccess: { runId: 'r', at: hoursAgo(9 * 24), memberCount: 7 } }),
      ['mirror_overdue'],
    ],
    [
      'a run that crashed',
      status({ lease: { runId: 'r', expiresAt: hoursAgo(1), isWriting: false } }),
      ['run_crashed'],
    ],
    ['dead letters of today', status({}, { deadLetters: 2, oldestDeadLetterAt: oldest(23) }), []],
    [
      'dead letters of yesterday',
      status({}, { deadLetters: 2, oldestDeadLetterAt: oldest(25) }),
      ['dead_letters_old'],
    ],
    [
      'a conflict of yesterday',
      status({}, { openConflicts: 1, oldestOpenConflictAt: oldest(25) }),
      ['conflicts_old'],
    ],
    [
      'members ahead of the registry, and a hint of three days ago',
      {
        ...status({}),
        mirrors: [
          {
            ...judgeMirror('portal', FRESH, true, NOW, { aheadOfRegistry: 2, oldestHintAt: hoursAgo(72) }),
            agreement: EQUAL,
          },
        ],
        portal: { aheadOfRegistry: 2, unconfirmedHints: 1, oldestUnconfirmedHintAt: oldest(72) },
      },
      ['ahead_of_registry', 'hints_unconfirmed'],
    ],
    ['an edit of yesterday', status({}, { pending: 1, oldestPendingAt: oldest(25) }), ['queue_stuck']],
  ])('%s', (_what, answer, codes) => {
    expect(findConcerns(answer).map(({ code }) => code)).toEqual(codes);
  });

  it('is logged as an error each, for the alert policies to find, with ages and counts only', async () => {
    const logs: { severity: Severity; message: string; fields: LogFields }[] = [];
    const answer = status(pausedFor(8 * 24), { deadLetters: 2, oldestDeadLetterAt: oldest(48) });
    await reportConcerns(
      async () => answer,
      makeOpsLogs((severity, message, fields) => logs.push({ severity, message, fields })),
    );
    expect(logs.map(({ severity, fields }) => [severity, fields['code'], fields['ageSeconds']])).toEqual([
      ['ERROR', 'mirror_paused_too_long', 8 * 86_400],
      ['ERROR', 'dead_letters_old', 2 * 86_400],
      ['INFO', undefined, undefined],
    ]);
  });
});
