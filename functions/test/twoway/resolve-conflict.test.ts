import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import {
  decideConflictOnDemand,
  type ResolveRequest,
  resolveRequest,
} from '../../src/twoway/resolve-conflict.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { EMAIL, type MemoryStack, NOW, openMemoryStack } from './support/memory-stack.ts';

const [ONE] = makeKennitalas(1, 64_000) as [Kennitala];
const PHONE = 'profile.phone';
const MINE = 'mine@example.is';
const THEIRS = 'theirs@example.is';
const { signal } = new AbortController();

let stack: MemoryStack;
let conflict: string;
beforeEach(async () => {
  stack = openMemoryStack();
  await stack.load([ONE]);
});

/** Both have written the field, the registry at that time; the request that told it is answered with what it holds. */
const inConflict = async (
  changedAt: Date | null = null,
  path = EMAIL,
  [mine, theirs]: unknown[] = [MINE, THEIRS],
) => {
  const { take } = stack.registry;
  stack.registry.take = (_change) => {
    stack.registry.take = take;
    return { status: 'conflict', current: { [path]: theirs } as never, version: 1, changedAt } as const;
  };
  stack.edit(ONE, { [path]: mine });
  for (const write of stack.edits.splice(0)) expect(await stack.track(write)).toBe('settled');
  conflict = stack.conflicts()[0]?.['id'];
  stack.registry.told.length = 0;
  stack.logs.length = 0;
};
const resolve = (request: Partial<ResolveRequest>) =>
  decideConflictOnDemand(
    { conflict, path: EMAIL, keep: 'portal', ...request } as ResolveRequest,
    { kind: 'person', id: 'operator-7' },
    signal,
    stack.dependencies,
  );
const refused = (request: Partial<ResolveRequest>) =>
  resolve(request).then(
    () => 'done',
    ({ code, message, details }: SyncError) => ({ code, message, details }),
  );
const decided = () => stack.conflicts()[0]?.['paths'][EMAIL];
const told = () => stack.registry.told.flat().map(({ changes, expected }) => ({ changes, expected }));

describe('what an operator decides of a field', () => {
  it.each([
    ['the portal’s value', { keep: 'portal' }, MINE],
    ['a third one', { keep: 'value', value: 'third@example.is' }, 'third@example.is'],
  ] as const)(
    'to keep %s is shown, on record, and told to the registry as an edit',
    async (_what, request, value) => {
      await inConflict();
      expect(stack.profileOf(ONE)['email']).toBe(THEIRS);
      stack.clock.ms += 1_000;
      expect(await resolve(request)).toEqual({ queued: true, delivered: true });
      expect(stack.profileOf(ONE)['email']).toBe(value);
      expect(told()).toEqual([{ changes: { [EMAIL]: value }, expected: { [EMAIL]: THEIRS } }]);
      expect(stack.conflicts()).toMatchObject([{ state: 'resolved' }]);
      expect(decided()).toMatchObject({
        state: 'resolved',
        resolution: { keep: request.keep, value, by: 'operator-7' },
      });
      expect(decided().resolution.at.toDate()).toEqual(new Date(NOW + 1_000));
      expect(stack.items().find(({ id }) => id === `${conflict}.${EMAIL}.resolved`)).toMatchObject({
        kennitala: ONE,
        django_id: 1,
        action: 'update',
        sync_status: 'synced',
        is_continuation: false,
      });
      expect(stack.logs[0]).toEqual({
        event: 'conflict_resolved',
        member: 'm_0',
        conflict,
        path: EMAIL,
        keep: request.keep,
      });
    },
  );

  it('to keep what stands closes the conflict, and asks nothing of anybody', async () => {
    await inConflict();
    expect(await resolve({ keep: 'registry' })).toEqual({ queued: false, delivered: true });
    expect(decided()).toMatchObject({ state: 'resolved', resolution: { keep: 'registry', value: THEIRS } });
    expect([told(), stack.profileOf(ONE)['email']]).toEqual([[], THEIRS]);
  });

  it('against the side that had won is told as well', async () => {
    await inConflict(new Date(NOW - 24 * 3_600_000));
    expect(stack.profileOf(ONE)['email']).toBe(MINE);
    expect(await resolve({ keep: 'registry' })).toEqual({ queued: true, delivered: true });
    expect(told()).toEqual([{ changes: { [EMAIL]: THEIRS }, expected: { [EMAIL]: MINE } }]);
    expect(stack.profileOf(ONE)['email']).toBe(THEIRS);
  });

  it('a value that the field shows already is on record, and not told', async () => {
    await inConflict();
    expect(await resolve({ keep: 'value', value: THEIRS })).toEqual({ queued: false, delivered: true });
    expect(decided()).toMatchObject({ state: 'resolved', resolution: { keep: 'value', value: THEIRS } });
    expect(told()).toEqual([]);
  });

  it('waits for a registry that is away', async () => {
    await inConflict();
    stack.registry.failure = new SyncError('registry_timeout', 'slow');
    expect(await resolve({ keep: 'portal' })).toEqual({ queued: true, delivered: false });
    expect(stack.items().at(-1)).toMatchObject({ sync_status: 'pending' });
  });

  it('leaves the other fields of the conflict open', async () => {
    const { take } = stack.registry;
    const current = { [EMAIL]: THEIRS, [PHONE]: '5551111' };
    stack.registry.take = () => {
      stack.registry.take = take;
      return { status: 'conflict', current, version: 1, changedAt: null };
    };
    stack.edit(ONE, { [EMAIL]: MINE, [PHONE]: '5559999' });
    for (const write of stack.edits.splice(0)) await stack.track(write);
    conflict = stack.conflicts()[0]?.['id'];
    await resolve({ keep: 'registry' });
    expect(stack.conflicts()).toMatchObject([
      {
        state: 'open',
        paths: { [EMAIL]: { state: 'resolved' }, [PHONE]: { state: 'open', resolution: null } },
      },
    ]);
    await resolve({ path: PHONE, keep: 'registry' });
    expect(stack.conflicts()).toMatchObject([{ state: 'resolved' }]);
  });

  it('twice is once; and otherwise than before is refused', async () => {
    await inConflict();
    await resolve({ keep: 'value', value: 'third@example.is' });
    const before = [stack.items(), stack.conflicts()];
    expect(await resolve({ keep: 'value', value: 'third@example.is' })).toEqual({
      queued: false,
      delivered: true,
    });
    for (const other of [{ keep: 'portal' }, { keep: 'value', value: 'fourth@example.is' }] as const)
      expect(await refused(other)).toMatchObject({
        code: 'already_done',
        message: 'This field of the conflict has been decided otherwise.',
      });
    expect([stack.items(), stack.conflicts()]).toEqual(before);
  });

  it('is otherwise than before also where another choice comes to the same value', async () => {
    await inConflict();
    await resolve({ keep: 'value', value: MINE });
    expect(await refused({ keep: 'portal' })).toMatchObject({ code: 'already_done' });
  });
});

describe('a decision is refused', () => {
  it('of a conflict or a field that is not there', async () => {
    await inConflict();
    expect(await refused({ conflict: 'none' })).toMatchObject({
      code: 'invalid_request',
      message: 'There is no conflict of that id.',
    });
    expect(await refused({ path: PHONE })).toEqual({
      code: 'invalid_request',
      message: 'This field is not in that conflict.',
      details: { path: PHONE },
    });
  });

  it('for a value that the field cannot hold', async () => {
    await inConflict();
    expect(await refused({ keep: 'value', value: 7 })).toEqual({
      code: 'invalid_request',
      message: 'The value is not one that the field can hold.',
      details: { path: EMAIL },
    });
    expect(decided()).toMatchObject({ state: 'open', resolution: null });
  });

  it.each<[string, () => Promise<unknown> | unknown]>([
    ['shows another value by now', () => stack.edit(ONE, { [EMAIL]: 'later@example.is' })],
    [
      'waits for another edit to be delivered',
      async () => {
        stack.registry.failure = new SyncError('registry_timeout', 'slow');
        stack.edit(ONE, { [EMAIL]: 'later@example.is' });
        for (const write of stack.edits.splice(0)) await stack.track(write).catch(() => undefined);
        stack.registry.failure = null;
        stack.edit(ONE, { [EMAIL]: THEIRS });
      },
    ],
    ['is not there any more', () => stack.memory.write('delete', `members/${ONE}`, {})],
  ])('where the document %s, unless it changes nothing', async (_what, happens) => {
    await inConflict();
    await happens();
    for (const request of [{ keep: 'portal' }, { keep: 'value', value: 'third@example.is' }] as const)
      expect(await refused(request)).toMatchObject({
        code: 'plan_changed',
        message:
          'The field has another value by now than when the conflict was found. Keep "registry" to close the conflict.',
      });
    expect(decided()).toMatchObject({ state: 'open' });
    expect(await resolve({ keep: 'registry' })).toEqual({ queued: false, delivered: true });
    expect(decided()).toMatchObject({ state: 'resolved' });
  });

  it('is not for another spelling of the value that won', async () => {
    await inConflict(null, PHONE, ['5559999', '5551111']);
    stack.edit(ONE, { [PHONE]: '+354 555 1111' });
    expect(await resolve({ path: PHONE, keep: 'portal' })).toEqual({ queued: true, delivered: true });
    expect(stack.profileOf(ONE)['phone']).toBe('5559999');
  });
});

describe('what an operator sends', () => {
  const sent = { conflict: 'event-1~2', path: EMAIL, keep: 'portal' };
  const issuesOf = (request: object) =>
    resolveRequest
      .safeParse(request)
      .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const ID = 'conflict: the id of a document in sync_conflicts';
  const FIELD = 'path: a field of that conflict, such as profile.email';
  const VALUE = 'value: comes with keep "value", and only with it';

  it.each([
    ['keeps the portal', {}, undefined],
    ['keeps the registry', { keep: 'registry' }, undefined],
    ['keeps a value', { keep: 'value', value: null }, undefined],
    ['an id of every kind of letter', { conflict: 'aZ0._~-'.repeat(28) }, undefined],
    ['no id', { conflict: '' }, [ID]],
    ['a path for an id', { conflict: 'a/b' }, [ID]],
    ['an id with an end of its own', { conflict: 'a\n' }, [ID]],
    ['an id that begins with a blank', { conflict: ' a' }, [ID]],
    ['an id that is too long', { conflict: 'a'.repeat(201) }, [ID]],
    ['a field that does not go to the registry', { path: 'profile.kennitala' }, [FIELD]],
    ['keeps both', { keep: 'both' }, ['keep: portal, registry or value']],
    ['a value that is kept anyway', { value: 'x' }, [VALUE]],
    ['no value', { keep: 'value' }, [VALUE]],
    ['something else', { more: 1 }, [': Unrecognized key: "more"']],
  ])('%s', (_what, given, issues) => {
    expect(issuesOf({ ...sent, ...given })).toEqual(issues);
  });
});
