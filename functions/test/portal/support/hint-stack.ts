import { type Kennitala, tryKennitala } from '../../../src/domain/kennitala.ts';
import { type FollowHintDependencies, followHint } from '../../../src/portal/follow-hint.ts';
import type { WebhookCall } from '../../../src/portal/receive-webhook.ts';
import { event, eventId, resultOf, someone } from '../../support/registry-events.ts';
import { startWebhookStack } from '../../support/stack.ts';

const KEY = 'key-of-a-registry-that-cannot-sign';

/** What the registry says at a look. Null is its 404. */
type Said = object | null | (() => Promise<object | null>);

export const fresh = (): Kennitala => {
  const kennitala = tryKennitala(someone());
  if (kennitala === null) throw new Error('The generated number is none.');
  return kennitala;
};

/** As that registry spells one member: flat, without `id` and `version`, e-mail and address of other tables. */
export const flat = (kennitala: string, more: object = {}) => ({
  kennitala,
  name: 'Generated Person',
  email: 'years.ago@example.is',
  street_address: 'Gamlagata 1',
  postal_code: '101',
  city: 'Reykjavík',
  reachable: true,
  groupable: false,
  ...more,
});

/** As it spells `data`: of the tables that its list is made of. */
export const sent = (kennitala: string, more: object = {}) => ({
  id: 813,
  ssn: kennitala,
  name: 'Generated Person',
  gender: null,
  reachable: true,
  groupable: false,
  contact_info: { email: 'now@example.is', phone: '5551234' },
  ...more,
});

export const hint = (kennitala: string, action: string, data?: unknown): WebhookCall => ({
  method: 'POST',
  rawBody: Buffer.from(JSON.stringify({ kennitala, action, ...(data === undefined ? {} : { data }) })),
  headers: { id: undefined, timestamp: undefined, signature: undefined, authorization: `Bearer ${KEY}` },
});

/** A webhook that takes the hints of a registry which cannot sign, and answers about its members by a script. */
export const startHintStack = async () => {
  /** At the nth look, from 0; the last one stays. */
  let script: readonly Said[] = [];
  let looks = 0;
  const stack = await startWebhookStack({
    mayBeInMemory: true,
    keys: { legacyKey: { readAll: async () => [KEY] } },
    reader: {
      readMember: async () => {
        const said = script[Math.min(looks, script.length - 1)] ?? null;
        looks += 1;
        return typeof said === 'function' ? said() : said;
      },
    },
  });
  const standing = async (kennitala: string) =>
    (await stack.db.doc(`webhook_hints/${kennitala}`).get()).data();
  const tokenOf = async (kennitala: string) => String((await standing(kennitala))?.['token']);
  /** A member whom the portal has, by the list. */
  const known = async (data: object = {}): Promise<Kennitala> => {
    const kennitala = fresh();
    const contact = { contact_info: { email: 'list@example.is' }, reachable: true };
    await stack.deliver(eventId(), event(kennitala, 1, 'create', { ...contact, ...data }));
    return kennitala;
  };
  return {
    ...stack,
    looks: () => looks,
    says: (...all: readonly Said[]): void => {
      script = all;
    },
    standing,
    tokenOf,
    /** The same without a version, as a registry without the companion app leaves them. */
    listed: async (data: object = {}): Promise<Kennitala> => {
      const kennitala = await known(data);
      await stack.db.doc(`members/${kennitala}`).update({ 'metadata.source_version': null });
      return kennitala;
    },
    versionOf: async (kennitala: string) => (await stack.db.doc(`members/${kennitala}`).get()).updateTime,
    accept: async (call: WebhookCall): Promise<void> => {
      const answer = await resultOf(stack.receive(call));
      if (answer['result'] !== 'accepted') throw new Error(`The hint was not accepted: ${answer['error']}`);
    },
    forgetRefreshes: async (): Promise<void> => {
      for (const { ref } of (await stack.db.collection('roster_refreshes').get()).docs) await ref.delete();
    },
    /** Follows the standing hint in no time: the clock moves as far as it sleeps. */
    follow: async (
      kennitala: Kennitala,
      token?: string,
      onSleep?: (look: number) => Promise<void>,
      given: Partial<FollowHintDependencies> = {},
    ) => {
      looks = 0;
      let time = Date.now();
      let slept = 0;
      return followHint(kennitala, token ?? (await tokenOf(kennitala)), {
        ...stack.dependencies,
        now: () => new Date(time),
        sleep: async (ms) => {
          time += ms;
          await onSleep?.(slept);
          slept += 1;
        },
        logs: { followed: () => undefined },
        ...given,
      });
    },
  };
};

export type HintStack = Awaited<ReturnType<typeof startHintStack>>;
