import pMap from 'p-map';
import { type Kennitala, tryKennitala } from '../domain/kennitala.ts';
import {
  BUCKETS,
  type DigestNumbers,
  isSameSums,
  keySumsOf,
  type SetSums,
  sumOf,
} from '../domain/member/digest.ts';
import { asSyncError, SyncError } from '../lib/errors.ts';
import { forEachMirror, MIRRORS, type MirrorName } from '../mirror/mirror.ts';
import type { PortalDocument } from '../portal/ports.ts';
import type { OutboxRow, RegistryChanges } from '../registry/ports.ts';
import type { ListStore } from '../roster/ports.ts';
import { readHeldList } from '../roster/published-list.ts';
import {
  addsUp,
  differencesIn,
  differingBuckets,
  findDifferingBuckets,
  type RegistryPart,
  readPart,
} from './compare.ts';
import type {
  NoSums,
  PortalDigests,
  RegisterDigests,
  RegistryDigests,
  RegistrySums,
  StoreProof,
} from './digest-ports.ts';

export interface LookPorts {
  readonly registry: RegistryDigests;
  readonly events: Pick<RegistryChanges, 'outbox'>;
  readonly portal: PortalDigests;
  readonly roster: Pick<ListStore, 'read'>;
  /** Null: this project has no register. */
  readonly register: RegisterDigests | null;
  readonly now: () => Date;
}

/** What differs, as far as it was read: enough to mend it without reading anything twice. */
export interface Found {
  readonly buckets: readonly number[];
  readonly part: RegistryPart;
  readonly documents: readonly PortalDocument[];
  readonly activeOutside: number;
}

export interface Look {
  readonly members: number;
  readonly unreadable: number;
  readonly stores: Readonly<Record<MirrorName, StoreProof>>;
  /** What differs may be on its way: events of the last minutes say so, or the registry changed while it was read. */
  readonly isUnderWay: boolean;
  /** Null where so much differs that a whole reading costs less, or where a store cannot say what it holds. */
  readonly found: Found | null;
}

/** Longer than a delivery with a few tries, and the roster's run after it. */
export const UNDER_WAY_MS = 2 * 60_000;
/** Members read from the registry into memory: about 60 MB. Beyond it a whole reading, which goes page by page, is better. */
const MOST_MEMBERS = 20_000;
const BUCKETS_AT_ONCE = 4;

const EQUAL: StoreProof = { state: 'equal', differences: 0, errorCode: null };
const ABSENT: StoreProof = { state: 'absent', differences: null, errorCode: null };
const differs = (differences: number | null): StoreProof => ({
  state: 'differs',
  differences,
  errorCode: null,
});

/** What a store holds, or why that is not known. */
type Asked<T> = { readonly held: T } | { readonly failure: StoreProof };

/**
 * Compares the registry with every store: first one sum over all members, and where that differs, the buckets that differ
 * and the members in them. Throws the `registry_*` codes; a store that does not answer is `unknown`, and never equal.
 *
 * The registry's sums are read first: what a store then has in addition is newer, and differs until the next look.
 */
export const lookAtStores = async (ports: LookPorts, signal: AbortSignal): Promise<Look | NoSums> => {
  const said = await ports.registry.sums({ signal });
  if (typeof said === 'string') return said;
  const wanted = said.buckets.map(({ members }) => members);
  const keys = said.buckets.map((bucket) => bucket.keys);
  const [portal, register, roster] = await Promise.all([
    ask(async () => {
      const [sums, active] = await Promise.all([ports.portal.sums(0, BUCKETS), ports.portal.countActive()]);
      return { sums, active };
    }),
    ports.register === null ? { failure: ABSENT } : ask(ports.register.sums),
    ask(async () => readRoster(ports.roster, signal)),
  ]);
  const whole = sumOf(wanted);
  const isPortalSound = 'held' in portal && portal.held.sums.count === portal.held.active;
  const isPortalEqual = isPortalSound && isSameSums(portal.held.sums, whole);
  const ofRegister = 'held' in register ? differingBuckets(wanted, register.held) : [];
  const ofRoster = 'held' in roster ? differingBuckets(keys, roster.held.sums) : [];
  const first = {
    portal: 'failure' in portal ? portal.failure : isPortalEqual ? EQUAL : differs(null),
    register: 'failure' in register ? register.failure : ofRegister.length === 0 ? EQUAL : differs(null),
    roster:
      'failure' in roster
        ? roster.failure
        : ofRoster.length + roster.held.unreadable === 0
          ? EQUAL
          : differs(null),
  };
  const base = { members: whole.count, unreadable: 0, stores: first, isUnderWay: false, found: null };
  if (Object.values(first).every(({ state }) => state !== 'differs')) return base;

  const ofPortal =
    isPortalSound && !isPortalEqual
      ? await findDifferingBuckets(wanted, portal.held.sums, ports.portal.sums)
      : [];
  const buckets = [...new Set([...ofPortal, ...ofRegister, ...ofRoster])].sort((one, other) => one - other);
  const concerned = sumOf(buckets.map((bucket) => wanted[bucket] ?? NONE)).count;
  // What a hand-written document or line adds is in no bucket of ours; only a whole reading finds it.
  if (buckets.length === 0 || concerned > MOST_MEMBERS) return base;
  const isOpaque = 'held' in portal && !isPortalSound;
  const part = await readRegistryPart(ports, said, buckets, signal);
  if (part === null) return { ...base, isUnderWay: true };

  const inBuckets = new Set(buckets);
  const [documents, rows] = await Promise.all([
    isPortalSound && !isPortalEqual
      ? pMap(buckets, (bucket) => ports.portal.documents(bucket), { concurrency: BUCKETS_AT_ONCE }).then(
          (all) => all.flat(),
        )
      : [],
    ports.register !== null && 'held' in register && ofRegister.length > 0
      ? ports.register.rows(buckets)
      : [],
  ]);
  const listed = 'held' in roster ? roster.held.membersOf(inBuckets) : [];
  const lists = {
    portal: differencesIn(part, byDocument(documents), 'content'),
    register: differencesIn(
      part,
      new Map(rows.map(({ kennitala, digest }) => [kennitala, digest])),
      'content',
    ),
    roster: differencesIn(part, new Map(listed.map((kennitala) => [kennitala, undefined])), 'kennitala'),
  };
  const counted = (mirror: MirrorName): StoreProof => {
    if (first[mirror].state !== 'differs') return first[mirror];
    if (mirror === 'portal' && isOpaque) return differs(null);
    if (mirror === 'roster' && 'held' in roster && roster.held.unreadable > 0) {
      return differs(lists.roster.length + roster.held.unreadable);
    }
    return lists[mirror].length === 0 ? EQUAL : differs(lists[mirror].length);
  };
  const stores = forEachMirror(counted);
  const differing = MIRRORS.filter((mirror) => stores[mirror].state === 'differs');
  // Equal members behind unequal sums: somebody cannot be read, or the store was written while it was read.
  const isUnexplained = differing.length === 0 && part.unreadableCount === 0;
  return {
    members: whole.count,
    unreadable: part.unreadableCount,
    stores: isUnexplained ? first : stores,
    isUnderWay:
      isUnexplained ||
      (differing.length > 0 &&
        !isOpaque &&
        (await areAnnounced(ports, new Set(differing.flatMap((mirror) => lists[mirror])), signal))),
    found: {
      buckets,
      part,
      documents,
      activeOutside: 'held' in portal ? portal.held.active - documents.length : 0,
    },
  };
};

const NONE: SetSums = { count: 0, a: 0, b: 0 };

const ask = async <T>(question: () => Promise<T>): Promise<Asked<T>> => {
  try {
    return { held: await question() };
  } catch (cause) {
    return { failure: { state: 'unknown', differences: null, errorCode: asSyncError(cause).code } };
  }
};

const readRoster = async (store: Pick<ListStore, 'read'>, signal: AbortSignal) => {
  const published = await store.read(signal);
  const { kennitalas, unreadable } = readHeldList(published?.bytes ?? new Uint8Array());
  const bucketOfEach = new Uint8Array(kennitalas.length);
  const sums = keySumsOf(kennitalas, bucketOfEach);
  const membersOf = (buckets: ReadonlySet<number>): Kennitala[] => {
    const found: Kennitala[] = [];
    let place = 0;
    for (const kennitala of kennitalas) {
      if (buckets.has(bucketOfEach[place] ?? -1)) found.push(kennitala);
      place += 1;
    }
    return found;
  };
  return { unreadable, sums, membersOf };
};

const byDocument = (documents: readonly PortalDocument[]): Map<Kennitala, DigestNumbers | undefined> =>
  new Map(
    documents.flatMap(({ kennitala, stored }) =>
      kennitala === null ? [] : [[kennitala, stored.meta.digest]],
    ),
  );

/**
 * The members of the buckets, once they add up to what the registry says of them; null when it changed meanwhile.
 * Throws `registry_invalid_response` where it did not change and its members and sums still disagree.
 */
const readRegistryPart = async (
  { registry }: LookPorts,
  said: RegistrySums,
  buckets: readonly number[],
  signal: AbortSignal,
): Promise<RegistryPart | null> => {
  const members = await pMap(buckets, (bucket) => registry.members(bucket, { signal }), {
    concurrency: BUCKETS_AT_ONCE,
  });
  const part = readPart(new Map(buckets.map((bucket, n) => [bucket, members[n] ?? []])));
  if (part !== null && addsUp(part, said.buckets)) return part;
  const again = await registry.sums({ signal });
  if (typeof again === 'string' || again.newestVersion !== said.newestVersion) return null;
  throw new SyncError(
    'registry_invalid_response',
    `The members of ${buckets.length} buckets do not add up to the sums that the registry gives of them, so nothing was compared. ` +
      'In the registry, run manage.py enqueue_members: it finds changes that made no event.',
    { details: { buckets: buckets.length, received: part?.members.length ?? null } },
  );
};

/** Whether the registry changed each of these a moment ago, so that their events may be on their way. */
const areAnnounced = async (
  { events, now }: LookPorts,
  kennitalas: ReadonlySet<Kennitala>,
  signal: AbortSignal,
): Promise<boolean> => {
  const since = now().getTime() - UNDER_WAY_MS;
  const isRecent = ({ createdAt }: OutboxRow): boolean => createdAt.getTime() >= since;
  const recent = (await events.outbox({ signal })).filter(isRecent);
  const announced = new Set(recent.map(({ ssn }) => tryKennitala(ssn)));
  return [...kennitalas].every((kennitala) => announced.has(kennitala));
};
