import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { makeMemberReference } from '../../../src/domain/member/digest.ts';
import { followHint } from '../../../src/portal/follow-hint.ts';
import { answerWebhook, type WebhookCall } from '../../../src/portal/receive-webhook.ts';
import { makeWebhookGate } from '../../../src/portal/webhook-caller.ts';
import { SECRET, signed } from '../../support/portal-stack.ts';
import type { Process } from './interleaving.ts';
import type { ModelPortal } from './model-portal.ts';
import type { ModelChange, ModelRegistry } from './model-registry.ts';

const LEGACY_KEY = 'key-of-a-registry-that-cannot-sign';

export interface Surroundings {
  readonly registry: ModelRegistry;
  readonly portal: ModelPortal;
  readonly now: () => Date;
}

/** One instance serves one event: the whole webhook, with each call to the outside made by the process. */
export const serveEvent = (
  change: ModelChange,
  process: Process,
  { registry, portal, now }: Surroundings,
): Promise<Response> =>
  answerWebhook(callOf(registry, change), {
    identify: makeWebhookGate(
      {
        signing: { readAll: async () => [SECRET], drop: () => undefined },
        legacyKey: { readAll: async () => [LEGACY_KEY] },
      },
      now,
    ),
    members: {
      read: (kennitala) => process.call(() => portal.store.read(kennitala)),
      applyChange: (request) => process.call(() => portal.store.applyChange(request)),
    },
    registry: {
      readMember: (kennitala, options) => process.call(() => registry.readMember(kennitala, options)),
    },
    hints: { keep: (hint) => process.call(() => portal.hints.keep(hint)) },
    rosterRefresh: { request: () => process.call(portal.requestRoster) },
    reference,
    now,
    log: () => undefined,
  });

/** One instance follows one hint. `sleep` lets the model's time pass. */
export const followInProcess = (
  { kennitala, token }: { readonly kennitala: Kennitala; readonly token: string },
  process: Process,
  { registry, portal, now }: Surroundings,
  sleep: (ms: number) => void,
): Promise<unknown> =>
  followHint(kennitala, token, {
    members: {
      read: (one) => process.call(() => portal.store.read(one)),
      applyChange: (request) => process.call(() => portal.store.applyChange(request)),
    },
    registry: {
      readMember: (one, options) => process.call(() => registry.readMember(one, options)),
    },
    hints: {
      keep: (hint) => process.call(() => portal.hints.keep(hint)),
      read: (one) => process.call(() => portal.hints.read(one)),
      giveUp: (one, its, facts) => process.call(() => portal.hints.giveUp(one, its, facts)),
      forgetBefore: (time) => process.call(() => portal.hints.forgetBefore(time)),
    },
    rosterRefresh: { request: () => process.call(portal.requestRoster) },
    reference,
    now,
    sleep: async (ms) => sleep(ms),
    logs: { followed: () => undefined },
  });

export const reference = async (kennitala: Kennitala): Promise<string> =>
  makeMemberReference('key of the tests', kennitala);

const callOf = ({ kind }: ModelRegistry, { id, body }: ModelChange): WebhookCall => {
  const call = signed(id, body);
  if (kind === 'signed') return call;
  const headers = { id: undefined, timestamp: undefined, signature: undefined };
  return { ...call, headers: { ...headers, authorization: `Bearer ${LEGACY_KEY}` } };
};
