import { beforeEach, describe, expect, it } from 'vitest';
import { SyncError } from '../../../src/lib/errors.ts';
import type { PortalScope } from '../../../src/portal/ports.ts';
import { cursorOf, goOn, halfLoaded, resetLoad } from './support/half-loaded.ts';
import {
  ago,
  held,
  holds,
  MINUTE_MS,
  ONE,
  plan,
  type Row,
  reset,
  row,
  succeeded,
  THREE,
  TWO,
  world,
} from './support/one-run.ts';

beforeEach(reset);

describe('the mirror of the portal', () => {
  it('is named to people and to records', async () => {
    world.rows = [row(ONE)];
    expect((await plan()).mirror).toMatchObject({ name: 'portal', title: 'reconcile of the portal' });
  });

  it('does not go on with a load in a run that may not', async () => {
    resetLoad();
    const { mirror, made, source, at } = await goOn(cursorOf(await halfLoaded()));
    const { resume: _, ...rest } = at;
    await expect(mirror.apply(made, source, rest)).rejects.toMatchObject({
      code: 'internal',
      message: 'A load is gone on with by a run that may not.',
    });
  });
});

describe('what the registry shows', () => {
  it.each([
    ['nobody', [], 0],
    ['placeholders and what cannot be read alone', [row('9999999999'), { id: 1, ssn: 'unreadable' }], 1],
  ])('has to be somebody: %s stops the run, and it is said what to do', async (_what, shown, each) => {
    holds([row(ONE)]);
    world.rows = shown as Row[];
    const { length: received } = shown;
    await expect(plan()).rejects.toMatchObject({
      code: 'empty_export',
      message:
        `The registry showed no member (${received} entries, ${each} unreadable, ${each} placeholders). ` +
        'Nothing was changed. Look at the registry, then run again.',
      details: { received },
    });
  });

  it('and cannot be read is named by reference or by place, twenty at most', async () => {
    world.rows = [
      row(ONE),
      row(TWO, { gender: 99 }),
      ...Array.from({ length: 21 }, () => ({ ssn: 'x' }) as Row),
    ];
    const { source } = await plan();
    const [warning] = source.warnings;
    expect(warning?.code).toBe('quarantined_members');
    expect(warning?.message).toMatch(/^22 members cannot be read: left as they are\. m_1: /);
    expect(warning?.message).toContain('number 2 of the pages: ');
    expect(warning?.message).not.toContain('number 21 of the pages');
    expect(warning?.message).toMatch(/ And 2 more\.$/);
    world.rows = [row(ONE), ...Array.from({ length: 20 }, () => ({ ssn: 'x' }) as Row)];
    expect((await plan()).source.warnings[0]?.message).not.toContain('more');
  });
});

describe('an event that was missed', () => {
  const missed = async () => (await plan(succeeded(2))).made.missedEvents;
  beforeEach(() => {
    holds([row(ONE)], [row(TWO)]);
    world.rows = [row(ONE, { version: 4, name: 'Renamed Person' }), row(TWO), row(THREE)];
  });

  it('is none of whom the registry changed a moment ago: it is asked for them', async () => {
    world.lately = { members: [row(ONE)], count: 1 };
    expect(await missed()).toEqual({ created: 1, updated: 0, deleted: 0 });
    expect(world.asked.at(-1)).toMatchObject({ modifiedSince: ago(2 * MINUTE_MS) });
  });

  it.each<[string, typeof world.lately]>([
    ['answers all it has', { members: [row(ONE), row(TWO), row(THREE)], count: 3 }],
    ['does not say how many', { members: [row(ONE)], count: null }],
    ['fails', new SyncError('registry_rejected', 'no such parameter')],
  ])('is each difference where the registry %s', async (_what, answer) => {
    world.lately = answer;
    expect(await missed()).toEqual({ created: 1, updated: 1, deleted: 0 });
  });

  it('is not asked about where nothing differs', async () => {
    world.rows = [row(ONE), row(TWO)];
    expect(await missed()).toEqual({ created: 0, updated: 0, deleted: 0 });
    expect(world.asked).toHaveLength(1);
  });

  it('is asked about only once a run has ended well: nothing can have been missed', async () => {
    await plan();
    expect(world.asked).toHaveLength(1);
    await missed();
    expect(world.asked).toHaveLength(3);
  });

  it('cannot be told of by a fault of ours, which ends the run', async () => {
    world.lately = new TypeError('no function');
    await expect(missed()).rejects.toThrow(TypeError);
  });
});

describe('a part of the portal', () => {
  const part = (...documents: PortalScope['documents']): PortalScope => ({ documents, activeOutside: 5 });

  it('may have nobody', async () => {
    const { made } = await plan({}, { scope: part() });
    expect(made).toMatchObject({ memberCount: 5, changes: { added: 0, removed: 0, unchanged: 5 } });
  });

  it('lacks tombstones, so that who seems new is looked up and comes back where there is one', async () => {
    holds([row(ONE)], [row(TWO), false]);
    world.rows = [row(ONE), row(TWO)];
    const scope = part({ kennitala: ONE, stored: held(row(ONE)), state: '0' });
    const { made, apply, portal } = await plan({}, { scope });
    expect(Array.from(made.differences, ({ kind }) => kind)).toEqual(['revive']);
    expect(await apply()).toMatchObject({ memberCount: 7, overtaken: 0 });
    expect(portal.documents().get(TWO)?.member.membership.status).toBe('active');
  });
});
