import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import type { HintStore, NewHint } from '../../src/portal/ports.ts';
import { makeKennitalas } from '../support/kennitalas.ts';

const AT = new Date('2026-11-20T10:00:00.123Z');
const [someone, other] = makeKennitalas(2) as [Kennitala, Kennitala];
const hintOf = (token: string, more: Partial<NewHint> = {}): NewHint => ({
  kennitala: someone,
  action: 'update',
  payload: null,
  token,
  at: AT,
  eventId: null,
  member: 'm_0123456789abcdef',
  ...more,
});
const later = (seconds: number) => new Date(AT.getTime() + seconds * 1_000);

/** What every hint store does, whatever it is made of. `make` gives an empty one. */
export const describeHintStore = (name: string, make: () => Promise<HintStore>): void => {
  describe(`the hint store on ${name}`, () => {
    let store: HintStore;
    beforeEach(async () => {
      store = await make();
    });

    it('knows of no hint about a member of whom none came', async () => {
      await store.keep(hintOf('one', { kennitala: other }));
      expect(await store.read(someone)).toBeNull();
    });

    it('keeps the last token, all that was announced, and the last payload that there was', async () => {
      const payload = { ssn: someone, name: 'A\u0000name', nested: [1, { deep: null }] };
      expect(await store.keep(hintOf('one', { action: 'create', payload }))).toBe('accepted');
      expect(await store.keep(hintOf('two', { action: 'delete' }))).toBe('accepted');
      expect(await store.read(someone)).toEqual({
        token: 'two',
        announced: new Set(['create', 'delete']),
        payload,
        receivedAt: expect.any(Date),
      });
    });

    it('knows a repetition by its event id, which changes nothing', async () => {
      expect(await store.keep(hintOf('one', { eventId: 'msg_1' }))).toBe('accepted');
      const repeated = hintOf('two', { eventId: 'msg_1', action: 'delete' });
      expect(await store.keep(repeated)).toBe('duplicate');
      expect(await store.read(someone)).toMatchObject({ token: 'one', announced: new Set(['update']) });
    });

    it('gives up only the hint of that token, and follows none then until the next', async () => {
      await store.keep(hintOf('one', { action: 'create', payload: { name: 'Old' } }));
      await store.giveUp(someone, 'another', { tries: 10, at: AT });
      expect(await store.read(someone)).toMatchObject({ token: 'one' });
      await store.giveUp(someone, 'one', { tries: 10, at: AT });
      expect(await store.read(someone)).toBeNull();
      await store.keep(hintOf('two'));
      expect(await store.read(someone)).toMatchObject({
        token: 'two',
        announced: new Set(['update']),
        payload: null,
      });
    });

    it('forgets what came before a time, and counts those that had been given up', async () => {
      await store.keep(hintOf('one'));
      await store.giveUp(someone, 'one', { tries: 10, at: AT });
      await store.keep(hintOf('two', { kennitala: other, at: later(60) }));
      expect(await store.forgetBefore(AT)).toBe(0);
      expect(await store.forgetBefore(later(1))).toBe(1);
      expect(await store.read(other)).toMatchObject({ token: 'two' });
      expect(await store.forgetBefore(later(61))).toBe(0);
      expect(await store.read(other)).toBeNull();
    });
  });
};
