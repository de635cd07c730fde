import { setTimeout as sleep } from 'node:timers/promises';
import { makeDeliverer, postOnce } from '../deliverer.ts';
import type { PortalChange } from './apply.ts';
import type { Directory } from './directory.ts';
import type { ApplyResult, ChangeEntry } from './journal.ts';
import { PORTAL_FIELDS } from './portal-fields.ts';
import type { RegistryState } from './state.ts';
import type { MemberPatch, WireMember } from './wire-member.ts';

/** Ids of the old queue: far above every version that the companion app gives. */
export const OLD_QUEUE_STARTS_AT = 4_000_000;
/** How long after the webhook's answer the transaction of the change ends. */
const COMMIT_AFTER_MS = 300;
/** One try of so long, and never another one. */
const WEBHOOK_LIMIT_MS = 10_000;
/** Of every so many members the e-mail is older in the table that one member is read from. */
const OLDER_EMAIL_EVERY = 3;

interface LegacyOptions {
  /** Where the webhook goes and what it says after `Bearer`; without a key there is no such registry here. */
  readonly url: string | undefined;
  readonly key: string | undefined;
  readonly settings: { readonly companion: boolean };
}

export type LegacyRegistry = ReturnType<typeof makeLegacyRegistry>;

/** What a registry without the companion app does otherwise than one with it. */
export const makeLegacyRegistry = ({ url = '', key, settings }: LegacyOptions) => {
  const deliverer = makeDeliverer(Number.POSITIVE_INFINITY);
  const uncommitted = new Map<number, WireMember | null>();
  let worker: Promise<unknown> = Promise.resolve();

  return {
    /** Whether there is such a registry here at all: it has a key to say, and no companion app. */
    isOn: () => key !== undefined && !settings.companion,
    /** Sends the hint of a change that is not committed before it was answered; `before`: the member until then. */
    announce: ({ index, action }: ChangeEntry, directory: Directory, before: WireMember | null): void => {
      if (!uncommitted.has(index)) uncommitted.set(index, before);
      const { version: _version, ...data } = directory.member(index);
      const kennitala = directory.ssn(index).replace('-', '');
      const body = JSON.stringify({ kennitala, action, ...(action !== 'delete' && { data }) });
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
      const answered = deliverer.deliver({
        post: async (signal) =>
          (await postOnce(url, { headers, body }, { signal, milliseconds: WEBHOOK_LIMIT_MS })) !== null,
        delayAfter: () => null,
      });
      worker = Promise.all([worker, answered]);
      void answered
        .then(() => sleep(COMMIT_AFTER_MS, undefined, { ref: false }))
        .then(() => uncommitted.delete(index));
    },
    /** One member as it answers them, null for none. With one worker, it answers nobody while it waits for an answer. */
    read: async (index: number, directory: Directory): Promise<object | null> => {
      await worker;
      const isLive = directory.isLive(index);
      const now = uncommitted.get(index);
      const committed = now === undefined && isLive ? directory.member(index) : now;
      return committed ? flat(committed, directory.generated(index)) : null;
    },
    close: deliverer.close,
  };
};

/** No id, version, unions, titles or foreign address; e-mail and address of tables that are older than the list's. */
const flat = (member: WireMember, older: WireMember): object => {
  const { ssn, name, birthday, gender, housing_situation, reachable, groupable, date_joined } = member;
  const address = older.local_address;
  const isOlder = member.id % OLDER_EMAIL_EVERY === 0;
  return {
    ...{ ssn, name, birthday, gender, housing_situation, reachable, groupable, date_joined },
    email: isOlder ? `fyrir.longu.${member.id}@postur.example` : older.contact_info.email,
    phone: member.contact_info.phone,
    street_address:
      address === null ? '' : `${address.street} ${address.number ?? ''}${address.letter}`.trim(),
    postal_code: address === null ? '' : String(address.postal_code),
    city: address?.city ?? '',
  };
};

/** E-mail and phone are written when they are not empty; every other path is ignored, and all is answered alike. */
export const applyAsLegacy = (state: RegistryState, { kennitala, changes }: PortalChange): ApplyResult => {
  const ssn = kennitala.replace('-', '');
  const index = state.directory.find(ssn);
  if (index === null || !state.directory.isLive(index)) {
    return { ssn, status: 'error', message: 'member not found' };
  }
  const patches = ['profile.email', 'profile.phone'].flatMap((path) => {
    const value = changes[path];
    return typeof value === 'string' && value !== '' ? (PORTAL_FIELDS[path]?.write(value) ?? []) : [];
  });
  const contact_info = Object.assign({}, ...patches.map((patch: MemberPatch) => patch.contact_info ?? {}));
  if (Object.keys(contact_info).length > 0) state.update(index, { contact_info }, { origin: 'portal' });
  return { ssn, status: 'success', updated_fields: [] };
};
