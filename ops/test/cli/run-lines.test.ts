import { describe, expect, it } from 'vitest';
import { nextLines, runLines, runsLines } from '../../src/cli/run-lines.ts';
import { wireRun as run } from './wire-run.ts';

const plain = (_color: string, text: string): string => text;
const session = { commandLine: (command: string) => `npm run ops -- ${command}` };

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
