import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { decideChange, type StoredMember } from '../../src/domain/member/decide-change.ts';
import { withFields } from '../../src/domain/member/fields.ts';
import { parseRegistryMember } from '../../src/domain/member/parse-registry-member.ts';
import { sourceHash } from '../../src/domain/member/patch.ts';
import { CLAIM_MS, planClaim } from '../../src/twoway/claim.ts';
import { planConflict } from '../../src/twoway/plan-conflict.ts';
import { planDelivered, planFailedTry, planRefused } from '../../src/twoway/plan-settlement.ts';
import type { MemberView } from '../../src/twoway/ports.ts';
import { makeQueueItem, type QueueItem, toEditTime } from '../../src/twoway/queue.ts';

const NOW = new Date('2026-11-20T10:00:00Z');
const later = (ms: number) => new Date(NOW.getTime() + ms);
const item = makeQueueItem(
  {
    id: 'edit-1',
    kennitala: '0101002008' as Kennitala,
    djangoId: 7,
    action: 'update',
    changes: { 'profile.email': { oldValue: 'a', newValue: 'b' } },
    editedAt: toEditTime(NOW),
    isContinuation: false,
  },
  NOW,
);
const viewOf = (...pending: QueueItem[]): MemberView => ({
  stored: null,
  state: null,
  createdAt: null,
  pending,
  item: null,
  later: [],
  failed: [],
  openConflicts: [],
  conflict: null,
});
const claimBy = (owner: string, now: Date, view = viewOf(item), isUrgent = false) => {
  const { items = [], result } = planClaim(view, { owner, now, isUrgent });
  return { view: items.length > 0 ? viewOf(...items) : view, result };
};

/** The registry's word, and what the document shows. */
const stored = (said: string, shown: string): StoredMember => {
  const content = parseRegistryMember({
    id: 7,
    ssn: '0101002008',
    name: 'Generated Person',
    contact_info: { email: said },
  });
  const change = {
    kennitala: content.kennitala,
    action: 'update',
    version: 3,
    occurredAt: null,
    content,
  } as const;
  const decision = decideChange(null, change, { pending: [], origin: 'registry', now: NOW });
  if (decision.kind !== 'write') throw new Error('Nothing was decided.');
  const { member, meta } = decision;
  return { member: { ...member, profile: { ...member.profile, email: shown } }, meta };
};

describe('a claim', () => {
  it('keeps others away until it expires, and then is taken over with the same change', () => {
    const first = claimBy('one', NOW);
    expect(first.result).toMatchObject({ kind: 'claimed', isRevived: false });
    expect(claimBy('two', later(CLAIM_MS - 1), first.view).result).toMatchObject({ kind: 'busy' });
    const second = claimBy('two', later(CLAIM_MS), first.view);
    expect(second.result).toMatchObject({
      kind: 'claimed',
      isRevived: true,
      claimed: { delivery: { changeId: 'edit-1' } },
    });
  });

  it('of an edit that came from a former number leaves what has been delivered since', () => {
    const both = { ...item.changes, 'profile.phone': { oldValue: '1', newValue: '2' } };
    const moved: QueueItem = { ...item, changes: both, isMoved: true };
    const since: QueueItem = {
      ...item,
      id: 'edit-2',
      editedAt: toEditTime(later(1)),
      changes: {},
      settled: { 'profile.email': { oldValue: 'a', newValue: 'c', outcome: 'synced' } },
      status: 'synced',
    };
    const options = { owner: 'one', now: NOW, isUrgent: false };
    expect(planClaim(viewOf(moved), options)).toEqual({ result: { kind: 'unknown' } });
    const known = { ...options, knowsLater: true };
    expect(planClaim({ ...viewOf(moved), later: [moved, since] }, known)).toMatchObject({
      items: [{ settled: { 'profile.email': { outcome: 'superseded' } } }],
      result: { kind: 'claimed', claimed: { delivery: { paths: { 'profile.phone': { newValue: '2' } } } } },
    });
    const alone = { ...moved, changes: item.changes };
    expect(planClaim({ ...viewOf(alone), later: [alone, since] }, known)).toMatchObject({
      items: [{ status: 'synced' }],
      result: { kind: 'nothing' },
    });
  });

  describe('of an edit that came from a former number', () => {
    const [EMAIL, PHONE, FACEBOOK] = ['profile.email', 'profile.phone', 'profile.facebook'] as const;
    const ofPhone = { [PHONE]: { oldValue: '1', newValue: '2' } };
    const moved: QueueItem = { ...item, isMoved: true };
    const since: QueueItem = {
      ...item,
      id: 'edit-2',
      editedAt: toEditTime(later(1)),
      changes: {},
      settled: { [EMAIL]: { oldValue: 'a', newValue: 'c', outcome: 'synced' } },
      status: 'synced',
    };
    const other: QueueItem = {
      ...item,
      id: 'edit-3',
      editedAt: toEditTime(later(2)),
      changes: { [FACEBOOK]: { oldValue: '', newValue: 'generated' } },
    };
    const options = { owner: 'one', now: NOW, isUrgent: false, knowsLater: true };

    it('is of what was begun, without a look at anything else, whatever has been delivered since', () => {
      const first = planClaim(viewOf(moved), options);
      const view = viewOf(...(first.items ?? []), other);
      const expired = { owner: 'two', now: later(CLAIM_MS), isUrgent: false };
      const again = { kind: 'claimed', claimed: { delivery: { paths: { [EMAIL]: { newValue: 'b' } } } } };
      expect(planClaim(view, expired).result).toMatchObject(again);
      const known = { ...expired, knowsLater: true };
      expect(planClaim({ ...view, later: [since] }, known).result).toMatchObject(again);
    });

    it('writes nothing of what else waits', () => {
      const view = {
        ...viewOf({ ...moved, changes: { ...item.changes, ...ofPhone } }, other),
        later: [since],
      };
      expect(planClaim(view, options).items?.map(({ id }) => id)).toEqual(['edit-1']);
    });

    it.each([
      ['synced', 'c@d.is'],
      ['failed', null],
      ['superseded', null],
      ['cancelled', null],
    ] as const)('shows what was said later where that is %s', (outcome, shown) => {
      const changes = { [EMAIL]: { oldValue: 'a@b.is', newValue: 'b@c.is' } };
      const end = { oldValue: 'a@b.is', newValue: 'c@d.is', outcome };
      const view = {
        ...viewOf({ ...moved, changes }),
        stored: stored('a@b.is', 'b@c.is'),
        later: [{ ...since, settled: { [EMAIL]: end } }],
      };
      expect(planClaim(view, options).member?.values ?? null).toEqual(shown && { [EMAIL]: shown });
    });

    it('and is over makes no registration of the others where it was one', () => {
      const view = { ...viewOf({ ...moved, action: 'create' }, other), later: [since] };
      expect(planClaim(view, options)).toMatchObject({
        items: [{ id: 'edit-1', status: 'synced' }, { id: 'edit-3' }],
        result: {
          kind: 'claimed',
          claimed: { delivery: { action: 'update', paths: { [FACEBOOK]: { expected: '' } } } },
        },
      });
    });
  });

  it('that was taken over completes nothing, whatever the registry answered', () => {
    const first = claimBy('one', NOW);
    if (first.result.kind !== 'claimed') throw new Error('Nothing was claimed.');
    const { claimed } = first.result;
    const { view } = claimBy('two', later(CLAIM_MS), first.view);
    const part = claimed.delivery;
    const conflict = {
      status: 'conflict',
      current: { 'profile.email': 'x' },
      version: 9,
      changedAt: null,
    } as const;
    const lost = { result: { kind: 'lost' } };
    expect(planDelivered(view, claimed, { part, version: 9, reading: null }, NOW)).toEqual(lost);
    expect(planConflict(view, claimed, conflict, NOW)).toEqual(lost);
    expect(planRefused(view, claimed, part, { message: 'no', reading: null }, NOW)).toEqual(lost);
    expect(planFailedTry(view, claimed, part, { message: 'down', now: NOW, random: 0 })).toEqual(lost);
  });

  it('of a delivery that has failed waits for its time, unless an operator is in a hurry', () => {
    const first = claimBy('one', NOW);
    if (first.result.kind !== 'claimed') throw new Error('Nothing was claimed.');
    const { claimed } = first.result;
    const { items = [] } = planFailedTry(first.view, claimed, claimed.delivery, {
      message: 'down',
      now: NOW,
      random: 0,
    });
    const failed = viewOf(...items);
    expect(items).toMatchObject([{ retryCount: 1, claim: null, delivery: { changeId: 'edit-1' } }]);
    expect(claimBy('two', later(29_999), failed).result).toEqual({ kind: 'waiting', until: later(30_000) });
    expect(claimBy('two', later(29_999), failed, true).result).toMatchObject({ kind: 'claimed' });
    expect(claimBy('two', later(30_000), failed).result).toMatchObject({ kind: 'claimed' });
  });
});

describe('an edit that the member has taken back', () => {
  const email = (oldValue: string, newValue: string, ms: number) =>
    makeQueueItem(
      {
        id: `edit-${ms}`,
        kennitala: '0101002008' as Kennitala,
        djangoId: 7,
        action: 'update',
        changes: { 'profile.email': { oldValue, newValue } },
        editedAt: toEditTime(later(ms)),
        isContinuation: false,
      },
      NOW,
    );
  const there = email('a@b.is', 'c@d.is', 0);
  const back = email('c@d.is', 'a@b.is', 1_000);
  const claimed = (pending: QueueItem[], known: StoredMember | null) =>
    planClaim({ ...viewOf(...pending), stored: known }, { owner: 'one', now: NOW, isUrgent: false });

  it.each([
    ['the registry is known to hold that', stored('a@b.is', 'a@b.is'), null],
    ['the portal has no document', null, null],
    ['an event has shown the other one again', stored('a@b.is', 'c@d.is'), { 'profile.email': 'a@b.is' }],
  ])('is not sent where %s', (_what, known, values) => {
    const { items, member, result } = claimed([there, back], known);
    expect(result).toEqual({ kind: 'nothing' });
    expect(items).toMatchObject([
      { status: 'synced', settled: { 'profile.email': { outcome: 'cancelled' } } },
      { status: 'synced', settled: { 'profile.email': { outcome: 'cancelled' } } },
    ]);
    expect(member?.values ?? null).toEqual(values);
  });

  it('is a consent given again where they go back to one that they had withdrawn', () => {
    const known = stored('a@b.is', 'a@b.is');
    const withdrawn = { 'profile.reachable': later(0), 'profile.groupable': later(0) };
    const marked = { ...known, meta: { ...known.meta, withdrawn } };
    const consent = (oldValue: boolean, ms: number): QueueItem => ({
      ...there,
      id: `consent-${ms}`,
      changes: { 'profile.reachable': { oldValue, newValue: !oldValue } },
      editedAt: toEditTime(later(ms)),
    });
    const member = withFields(known.member, { 'profile.reachable': true });
    const heard = { consents: { 'profile.reachable': true }, writtenOver: {} };
    const meta = { ...marked.meta, heard, source_hash: sourceHash(member) };
    const { result, member: written } = claimed([consent(true, 1), consent(false, 2)], { member, meta });
    expect(result).toEqual({ kind: 'nothing' });
    expect(written).toMatchObject({ values: {}, meta: { withdrawn: { 'profile.groupable': later(0) } } });
    expect(Object.keys(written?.meta.withdrawn ?? {})).toEqual(['profile.groupable']);
  });

  it('is sent where the registry is known to hold something else', () => {
    const { result } = claimed([there, back], stored('x@y.is', 'a@b.is'));
    expect(result).toMatchObject({
      kind: 'claimed',
      claimed: { delivery: { paths: { 'profile.email': { newValue: 'a@b.is' } } } },
    });
  });

  it('is not held up by its own claim', () => {
    const first = claimBy('one', NOW);
    const again = claimBy('one', later(1_000), first.view);
    expect(again.result).toMatchObject({ kind: 'claimed', isRevived: false });
    expect(again.view.pending[0]?.claim).toEqual({ owner: 'one', expiresAt: later(1_000 + CLAIM_MS) });
  });
});
