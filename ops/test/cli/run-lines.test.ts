import { describe, expect, it } from 'vitest';
import type { WireRunRecord } from '../../../functions/src/ops/schemas.ts';
import { nextLines, runLines, runsLines } from '../../src/cli/run-lines.ts';

const plain = (_color: string, text: string): string => text;
const session = { commandLine: (command: string) => `npm run ops -- ${command}` };

const run = (facts: Partial<WireRunRecord>): WireRunRecord => ({
  runId: '20261123T030000Z-1f2e3d4c',
  mirror: 'roster',
  trigger: 'schedule',
  status: 'success',
  outcome: 'published',
  timestamp: '2026-11-23T03:00:00.000Z',
  durationMs: 400,
  memberCount: 1_883,
  djangoExportedAt: null,
  changes: { added: 0, removed: 333, updated: 0, unchanged: 1_883, quarantined: 0 },
  missedEvents: null,
  planId: 'a'.repeat(64),
  guard: { tripped: false, findings: [] },
  objectGeneration: null,
  previousGeneration: null,
  rollbackOf: null,
  sha256: null,
  warnings: [],
  error: null,
  errorCode: null,
  requestedBy: null,
  approvedBy: null,
  reason: null,
  ...facts,
});

describe('the list of runs', () => {
  it('begins with the time, and keeps what was not done in brackets', () => {
    const [head, done, refused, plan, note] = runsLines(
      [run({}), run({ outcome: 'blocked' }), run({ outcome: 'dry-run' })],
      plain,
    );
    expect(head).toMatch(/^started +run +mirror +outcome +changes$/);
    expect(done).toMatch(/^2026-11-23 03:00 .*published +\+0 -333$/);
    expect(refused).toMatch(/blocked +\(\+0 -333\)$/);
    expect(plan).toMatch(/dry-run +\(\+0 -333\)$/);
    expect(note).toContain('in brackets');
    for (const line of [head, done, refused, plan, note]) expect(line?.length).toBeLessThanOrEqual(80);
  });

  it('explains no brackets where there are none', () => {
    expect(runsLines([run({})], plain)).toHaveLength(2);
  });
});

describe('a plan without differences', () => {
  const changes = { added: 0, removed: 0, updated: 0, unchanged: 2_216, quarantined: 0 };
  const equal = run({ outcome: 'dry-run', changes });

  it('says so, and offers nothing to do', () => {
    expect(runLines(equal, plain)[0]).toMatch(/^No difference:/);
    expect(nextLines(equal, session)).toEqual([]);
  });

  it('is still to be decided where the guard refuses it for what it cannot read', () => {
    const guard = {
      tripped: true,
      findings: [{ rule: 'quarantined_share' as const, count: 99, allowed: 22 }],
    };
    const refused = { ...equal, guard };
    expect(runLines(refused, plain)[0]).toMatch(/^The guard would refuse this:/);
    expect(nextLines(refused, session).at(-1)).toContain('approve roster');
  });
});
