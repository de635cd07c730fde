import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countedDelivery } from '../../../bench/twoway/ours.ts';
import { type Servers, startServers } from '../../../bench/twoway/servers.ts';
import { makeMemberReader } from '../../../functions/src/adapters/django/read-members.ts';
import { makeHintStore } from '../../../functions/src/adapters/firestore/hint-store.ts';
import { fromMemberDocument } from '../../../functions/src/adapters/firestore/member-document.ts';
import { makeMemberStore } from '../../../functions/src/adapters/firestore/member-store.ts';
import type { Kennitala } from '../../../functions/src/domain/kennitala.ts';
import { applyVersionedEvent, readChange } from '../../../functions/src/portal/apply-event.ts';
import { followHint } from '../../../functions/src/portal/follow-hint.ts';
import { makeEditTime } from '../../../functions/src/twoway/queue.ts';
import { trackMemberWrite } from '../../../functions/src/twoway/track.ts';
import { activitiesOf, COST_FILE, makeCostTables, withTables } from '../../src/cost/cost.ts';
import { INVOCATIONS, MEASURED, portalRun, rosterRun } from '../../src/cost/operations.ts';
import { type Counts, countOperations } from './count-operations.ts';

describe('docs/cost.md', () => {
  it('is what the programs compute (npm run cost)', async () => {
    const page = await readFile(COST_FILE, 'utf8');
    expect(page).toBe(withTables(page, makeCostTables()));
  });

  it('counts every activity with some operation', () => {
    for (const { name, times, each } of activitiesOf(2_216)) {
      expect(times, name).toBeGreaterThan(0);
      expect((each.firestoreReads ?? 0) + (each.firestoreWrites ?? 0), name).toBeGreaterThan(0);
    }
  });
});

describe('forecasts', () => {
  it('a reconcile reads each member, and a roster run none', () => {
    expect(portalRun(10_000, 0).firestoreReads).toBeGreaterThanOrEqual(10_000);
    expect(rosterRun(10_000, 0).firestoreReads).toBe(rosterRun(100, 0).firestoreReads);
  });

  it('a difference costs writes', () => {
    expect(portalRun(1_000, 5).firestoreWrites).toBeGreaterThan(portalRun(1_000, 0).firestoreWrites);
    expect(rosterRun(1_000, 1).firestoreWrites).toBeGreaterThan(rosterRun(1_000, 0).firestoreWrites);
  });
});

/** The call of the webhook, and those of the functions that wait for the documents it leads to. */
const invocationsOf = ({ collections }: Counts): number =>
  1 + collections.filter((name) => ['members', 'webhook_hints'].includes(name)).length;

describe('measured on the local Firestore', () => {
  let servers: Servers;
  let kennitala: Kennitala;
  beforeAll(async () => {
    servers = await startServers(1, 0);
    await servers.load();
    const [first] = servers.kennitalas;
    if (first === undefined) throw new Error('The registry has no member.');
    kennitala = first;
  });
  afterAll(() => servers.close());

  const signal = AbortSignal.timeout(20_000);
  const given = () => ({
    members: makeMemberStore(async () => servers.db),
    registry: makeMemberReader(servers.http),
    reference: async () => 'm_0000000000000000',
    now: () => new Date(),
  });
  const stored = async () => {
    const data = (await servers.db.doc(`members/${kennitala}`).get()).data();
    return data === undefined ? null : fromMemberDocument(kennitala, data);
  };

  it('an edit makes the operations that the page counts', async () => {
    const before = await stored();
    const edited = { 'profile.facebook': 'a.new.page' };
    const { writeTime } = await servers.db.doc(`members/${kennitala}`).update(edited);
    const after = await stored();
    const counts = countOperations(servers.db);
    const write = {
      eventId: 'event-1',
      kennitala,
      at: makeEditTime(writeTime.seconds, writeTime.nanoseconds),
      before,
      after,
      isServers: false,
    };
    const dependencies = countedDelivery(servers, { requests: 0, reads: 0, writes: 0 });
    expect(await trackMemberWrite(write, signal, dependencies)).toBe('settled');
    expect({ firestoreReads: counts.reads, firestoreWrites: counts.writes }).toEqual(MEASURED.edit);
  });

  it('an event makes the operations that the page counts', async () => {
    const change = await readChange(kennitala, given().registry, signal);
    const counts = countOperations(servers.db);
    const { result } = await applyVersionedEvent({ ...change, version: 1_000_000 }, 'event-2', given());
    expect(result).toBe('applied');
    expect({ firestoreReads: counts.reads, firestoreWrites: counts.writes }).toEqual(MEASURED.event);
    expect(invocationsOf(counts)).toBe(INVOCATIONS.event);
  });

  it('a hint, and a look before the commit, make the operations that the page counts', async () => {
    const hints = makeHintStore(async () => servers.db);
    const member = await given().registry.readMember(kennitala, { signal });
    if (member === null) throw new Error('The registry has no such member.');
    // As a registry without the companion app answers: no id and no version.
    const { id: _id, version: _version, ...flat } = member as Record<string, unknown>;
    const withPage = (facebook: string) => ({
      ...flat,
      contact_info: { ...(flat['contact_info'] as object), facebook },
    });
    /** Follows the hint of a new page, which the registry shows after so many looks. */
    const follow = async (facebook: string, before: readonly object[]) => {
      const counts = countOperations(servers.db);
      const hint = { kennitala, action: 'update', payload: withPage(facebook), token: facebook } as const;
      await hints.keep({ ...hint, at: new Date(), eventId: null, member: 'm_0000000000000000' });
      const answers = [...before, withPage(facebook)];
      const result = await followHint(kennitala, facebook, {
        ...given(),
        registry: { readMember: async () => answers.shift() },
        hints,
        rosterRefresh: { request: async () => undefined },
        sleep: async () => undefined,
        logs: { followed: () => undefined },
      });
      expect([result, answers]).toEqual(['confirmed', []]);
      return { ...counts, collections: [...counts.collections] };
    };
    const one = await follow('first.look', []);
    const three = await follow('third.look', [withPage('first.look'), withPage('first.look')]);
    expect({
      firestoreReads: one.reads,
      firestoreWrites: one.writes,
      firestoreDeletes: one.deletes,
    }).toEqual(MEASURED.hint);
    expect({
      firestoreReads: (three.reads - one.reads) / 2,
      firestoreWrites: three.writes - one.writes,
    }).toEqual(MEASURED.look);
    expect(invocationsOf(three)).toBe(INVOCATIONS.hint + 2 * INVOCATIONS.look);
    expect(invocationsOf(one)).toBe(INVOCATIONS.hint);
  });
});
