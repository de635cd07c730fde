import { isDeepStrictEqual } from 'node:util';
import { fromMemberDocument } from '../../src/adapters/firestore/member-document.ts';
import { fromConflictDocument, tryItemDocument } from '../../src/adapters/firestore/twoway-documents.ts';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import type { Json } from '../../src/domain/member/fields.ts';
import { isSyncError } from '../../src/lib/errors.ts';
import type { LogFields, Severity } from '../../src/lib/log.ts';
import type { MirrorName } from '../../src/mirror/mirror.ts';
import type { ConflictRecord } from '../../src/twoway/conflict.ts';
import { isSameJson, type QueueItem } from '../../src/twoway/queue.ts';
import type { Written } from '../support/memory/firestore.ts';
import type { Row } from '../support/memory/register.ts';
import type { Published } from '../support/memory/storage.ts';
import type { Acting } from './instances.ts';
import { isTakenByLegacy, PATHS, REFUSED_VALUE, type Registry } from './registry.ts';
import { type Answer, LIMITS, LIST, referenceOf, type Stores } from './system.ts';

/** A clock of ours is never further from the world's. */
export const MOST_SKEW_MS = 120_000;
/** When each history begins, and its first members join. */
export const START = Date.parse('2026-11-20T10:00:00Z');
export const CONSENT = 'profile.reachable';
/** A delivery reads and writes within the limit of its function. */
const DELIVERY_MS = 120_000;

/** What a member's own client wrote. */
export interface Made {
  readonly eventId: string;
  readonly kennitala: Kennitala;
  readonly values: Readonly<Record<string, Json>>;
  readonly at: number;
}

/**
 * Sees everything that is written and knows what may not be: `violations` holds what was seen after each step. What must hold
 * when everything has come to rest is checked by `checkEnd`.
 */
export const makeWitness = (
  registry: Registry,
  now: () => number,
  tell: (line: string) => void,
  acting: Acting,
) => {
  const violations: string[] = [];
  const edits: Made[] = [];
  const erased = new Set<Kennitala>();
  /** Whom an operator decided about, and why somebody's last word may not stand. */
  const touched = {
    decided: new Set<Kennitala>(),
    givenUp: new Set<Kennitala>(),
    disordered: new Set<Kennitala>(),
    /** The number was somebody else's before. */
    mixed: new Set<Kennitala>(),
  };
  /** Instances that an operator had approve a plan, or bring a version back. */
  const approvers = new Set<string>();
  const rollbacks = new Set<string>();
  /** Edits whose events have come. */
  const heard = new Set<string>();
  const removals = new Map<string, Set<string>>();
  /** What the watch was concerned about. */
  const concerns = new Set<string>();
  let stores: Stores | null = null;

  const blame = (what: string): void => {
    if (!violations.includes(what)) {
      violations.push(what);
      tell(`!! ${what}`);
    }
  };
  const isSame = (one: Kennitala, other: Kennitala): boolean =>
    registry.personOf(one) === registry.personOf(other);
  const isTouched = (kennitala: Kennitala, ...how: (keyof typeof touched)[]): boolean =>
    how.some((one) => [...touched[one]].some((touchedOne) => isSame(touchedOne, kennitala)));
  /** A person's own edits of a field, under whichever number. */
  const editsOf = (kennitala: Kennitala, path: string): Made[] =>
    edits.filter((one) => isSame(one.kennitala, kennitala) && path in one.values);
  const nameIn = (kennitala: string): string => referenceOf(kennitala as Kennitala).slice(0, 6);

  const isOf = (instances: ReadonlySet<string>, runId: string): boolean =>
    [...instances].some((id) => runId.includes(`-${id}-`));
  const startOf = (runId: string | null): number =>
    runId === null
      ? Number.NEGATIVE_INFINITY
      : Date.parse(runId.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, '$1-$2-$3T$4:$5:$6Z')) -
        MOST_SKEW_MS;

  /** Nobody is removed by a run whom the registry had all along since the run began, and no more than the guard lets through. */
  const onRemoval = (
    mirror: MirrorName,
    kennitala: string,
    run: string | null,
    since = startOf(run),
  ): void => {
    if (!registry.was(false, kennitala as Kennitala, since)) {
      blame(`the ${mirror} lost ${nameIn(kennitala)}, whom the registry has had all the time`);
    }
    if (run === null) return;
    const removed = removals.get(`${mirror} ${run}`) ?? new Set();
    removals.set(`${mirror} ${run}`, removed.add(kennitala));
    const isLetThrough = isOf(approvers, run) || (mirror === 'portal' && approvers.size > 0);
    if (removed.size > LIMITS.removedFloor && !isLetThrough) {
      blame(
        `a run of the ${mirror} removed ${removed.size} members, which the guard refuses, and nobody approved it`,
      );
    }
  };

  /** The run whose time a document of the portal was written at. */
  const runOfPortal = (at: number): string | null => {
    const found = stores?.firestore
      .all('sync_audit')
      .find(
        ([, { mirror, timestamp }]) =>
          mirror === 'portal' && (timestamp as { toMillis(): number }).toMillis() === at,
      );
    return found === undefined ? null : String(found[1]['runId']);
  };

  const onConsent = (kennitala: Kennitala, isAtRest = false): void => {
    const said = editsOf(kennitala, CONSENT);
    const last = said.at(-1);
    if (last?.values[CONSENT] !== false || isTouched(kennitala, 'decided', 'mixed')) return;
    // A registry without the companion app answers without ids: only the reconcile can follow a number that was corrected, from
    // a document whose id it has brought.
    const hadId = registry.presence.get(last.kennitala)?.[0]?.at === START;
    if (!registry.isCompanion && last.kennitala !== kennitala && !(isAtRest && hadId)) return;
    // Who gives it and takes it back before either event has come leaves the document as it was: until then a word of the
    // registry's own, however old, looks like news.
    const isHidden =
      !heard.has(last.eventId) && said.some((it) => it.values[CONSENT] === true && !heard.has(it.eventId));
    const isRegistrys = registry
      .toldOf(kennitala, CONSENT, 'registry')
      .some(({ value, at }) => value === true && (isHidden ? at > START : at >= last.at));
    if (!isRegistrys)
      blame(`a consent that ${nameIn(kennitala)} withdrew is on again by ${acting.instance?.name}`);
  };

  const onText = (where: string, text: () => string): void => {
    for (const kennitala of erased) {
      // Whose registration was on its way to the registry when they were erased is a member.
      if (registry.rows.has(kennitala)) erased.delete(kennitala);
      else if (text().includes(kennitala)) blame(`somebody who was erased came back in ${where}`);
    }
  };

  return {
    violations,
    edits,
    erased,
    touched,
    concerns,
    blame,
    onConsent,
    isSame,
    isTouched,
    editsOf,
    approvers,
    rollbacks,
    watch: (watched: Stores): void => {
      stores = watched;
    },
    onLog: (_severity: Severity, message: string, fields: LogFields): void => {
      const { event, code, errorCode } = fields;
      const isAlarm = [event, code, errorCode].some((one) => NEVER_LOGGED.has(one));
      if (isAlarm) blame(`a function logged ${message} ${JSON.stringify(fields)}`);
      if (PERSON.test(JSON.stringify([message, fields]))) blame(`a number stands in the log: ${event}`);
      if (event === 'ops_concern') concerns.add([code, fields['mirror']].join(' ').trim());
    },
    onFailure: (failure: unknown): void => {
      if (isSyncError(failure) && failure.code !== 'internal') return;
      blame(`a function threw ${failure instanceof Error ? failure.stack : JSON.stringify(failure)}`);
    },
    onErased: (kennitala: Kennitala): void => {
      erased.add(kennitala);
      for (const one of stores?.firestore.everything() ?? []) onText(one[0], () => JSON.stringify(one));
      if (stores?.register.rows.has(kennitala)) blame('somebody who was erased is in the register');
    },
    onWrite: ({ path, before, after }: Written): void => {
      const [collection = '', id = ''] = path.split('/');
      // A late announcement names them, until the registry has said that they are gone: at rest there is no hint.
      if (after.exists && collection !== 'webhook_hints')
        onText(collection, () => path + JSON.stringify(after.data()));
      if (acting.instance?.name === 'proveAfterRun' && path !== PROOF)
        blame(`the look after a run wrote in ${collection}`);
      if (collection === 'sync_queue') heard.add(id);
      if (collection !== 'members') return;
      const kennitala = id as Kennitala;
      const at = (after.get('metadata.synced_at') as { toMillis(): number } | undefined)?.toMillis() ?? now();
      const [was, is] = [before, after].map((one) => {
        const data = one.data();
        return data === undefined ? null : fromMemberDocument(kennitala, data);
      });
      const isShown = (one: typeof was): boolean => one?.member.membership.status === 'active';
      if (isShown(was) && !isShown(is)) {
        const run = is?.meta.origin === 'reconcile' ? runOfPortal(at) : null;
        onRemoval('portal', id, run, run === null ? undefined : at - MOST_SKEW_MS);
      }
      const isServers = before.get('metadata.last_modified') !== after.get('metadata.last_modified');
      if (isServers && was?.member.profile.reachable !== true && is?.member.profile.reachable === true)
        onConsent(kennitala);
    },
    onPublish: (published: Published): void => {
      const [before, after] = [linesOf(published.before), linesOf(published.after)];
      const { runId = '' } = published.metadata;
      onText('the list', () => after.join());
      const known = (after as Kennitala[]).filter((line) => !isTouched(line, 'mixed'));
      if (new Set(known.map((line) => registry.personOf(line))).size < known.length)
        blame('somebody is on the list under two numbers');
      if (isOf(rollbacks, runId)) return;
      for (const kennitala of before) if (!after.includes(kennitala)) onRemoval('roster', kennitala, runId);
      const added = after.filter((kennitala) => !before.includes(kennitala)).length;
      if (before.length > 0 && added > LIMITS.addedFloor && !isOf(approvers, runId))
        blame(`a run of the roster added ${added} members, which the guard refuses, and nobody approved it`);
    },
    onRegister: (before: Row | null, after: Row, runId: string | null): void => {
      onText('the register', () => after.kennitala);
      if (before?.is_active === true && !after.is_active) onRemoval('register', after.kennitala, runId);
    },
    /**
     * The register's API about whoever was asked: as the registry was at some moment since the last good run began, unless its
     * word is on its way. What cannot be known is no answer.
     */
    onEligibility: ({ status, body }: Answer): void => {
      if (status !== 200) return;
      const since = Date.parse(body.verified_at ?? '') - MOST_SKEW_MS;
      for (const { kennitala, active } of body.members) {
        const isOnItsWay = registry.queue.some(({ ssn }) => ssn === kennitala);
        if (!isOnItsWay && !registry.was(active, kennitala, since))
          blame(`${nameIn(kennitala)} is ${active ? '' : 'not '}eligible against the registry`);
      }
    },
  };
};

const idOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const linesOf = (bytes: Uint8Array | null): string[] =>
  Buffer.from(bytes ?? [])
    .toString('latin1')
    .split('\n')
    .filter(Boolean);
/** Where the last look at all mirrors stands. */
export const PROOF = 'sync_state/proof';
const NEVER_LOGGED = new Set<unknown>(['internal', 'http_failed', 'chain_broken']);
/** A kennitala, which no time, identifier or count of a log looks like. */
const PERSON = /(?<![\dA-Za-z-])\d{10}(?![\dA-Za-z-])/;

export type Witness = ReturnType<typeof makeWitness>;

interface Ended {
  readonly registry: Registry;
  readonly stores: Stores;
  readonly witness: Witness;
  readonly counts: { readonly events: number };
}

interface Seen extends Ended {
  readonly items: ReadonlyMap<string, QueueItem>;
  /** Of somebody's field, whose value the portal or the registry lost there. */
  readonly isDisputed: (
    kennitala: Kennitala,
    path: string,
    isLost?: (values: Disputed) => boolean,
  ) => boolean;
}
type Disputed = NonNullable<ConflictRecord['paths'][string]>;

/** What must hold when nothing is under way any more. */
export const checkEnd = (world: Ended, steps: number): void => {
  const { firestore } = world.stores;
  const { blame, isSame } = world.witness;
  const items = new Map<string, QueueItem>();
  for (const [path, data] of firestore.all('sync_queue')) {
    const item = tryItemDocument(idOf(path), data);
    if (item === null) blame('an item of the queue cannot be read');
    else items.set(item.id, item);
  }
  const conflicts = firestore
    .all('sync_conflicts')
    .map(([path, data]) => fromConflictDocument(idOf(path), data));
  const isDisputed: Seen['isDisputed'] = (kennitala, path, isLost = () => true) =>
    conflicts.some((it) => {
      const values = it.paths[path];
      return values !== undefined && isSame(it.kennitala, kennitala) && isLost(values);
    });
  const seen = { ...world, items, isDisputed };
  checkEqual(seen);
  checkEdits(seen);
  checkOverwritten(seen);
  checkLastWord(seen);
  checkRecords(seen);
  // Every message comes of something that somebody did; an echo would go on for ever.
  if (world.counts.events > 40 + steps * 8) blame(`${world.counts.events} messages of ${steps} steps`);
};

const checkEqual = (world: Ended): void => {
  const { registry, stores, witness } = world;
  const there = [...registry.rows].sort().map(([kennitala, { values }]) => {
    return [kennitala, values.name, values['profile.email'] || null];
  });
  const lines = linesOf(stores.storage.held(LIST)).sort();
  if (lines.join() !== there.map(([kennitala]) => kennitala).join())
    witness.blame('the list is not as the registry');
  const active = [...stores.register.rows.values()].filter(({ is_active }) => is_active);
  const rows = active.map(({ kennitala, name, email }) => [kennitala, name, email]).sort();
  if (!isDeepStrictEqual(rows, there)) witness.blame('the register is not as the registry');
  checkPortal(world);
};

/** With the companion app each event comes at last, so this holds before any reconcile. */
export const checkPortal = ({ registry, stores, witness }: Ended): void => {
  const { blame } = witness;
  const documents = new Map(stores.firestore.all('members').map(([path, data]) => [idOf(path), data]));
  for (const kennitala of new Set([...documents.keys(), ...registry.rows.keys()]) as Set<Kennitala>) {
    const row = registry.rows.get(kennitala);
    const { member, meta } = fromMemberDocument(kennitala, documents.get(kennitala) ?? {});
    const isActive = member.membership.status === 'active';
    if (isActive !== (row !== undefined)) blame('somebody is shown in the portal who has left, or not shown');
    // The registry has never said anything of a registration that it did not take.
    if (!isActive && meta.deleted_at === null && meta.source_hash !== null)
      blame('somebody is gone from the portal without a tombstone');
    if (!isActive || row === undefined) continue;
    if (member.profile.reachable) witness.onConsent(kennitala, true);
    const isWithdrawn = meta.withdrawn?.[CONSENT] !== undefined;
    for (const path of [...PATHS, 'name'] as const) {
      const shown = member.profile[path.replace('profile.', '') as keyof typeof member.profile];
      const had = isWithdrawn && path === CONSENT ? false : row.values[path];
      if (shown !== had)
        blame(
          `the portal shows ${path} ${JSON.stringify(shown)}, and the registry has ${JSON.stringify(had)}`,
        );
    }
    if (registry.isCompanion && meta.source_version !== row.version)
      blame('a member in the portal is of another version');
  }
};

/** Each edit is applied, superseded by another of the member's own, a dead letter with a reason, or recorded in a conflict. */
const checkEdits = ({ registry, witness, items, isDisputed }: Seen): void => {
  for (const { eventId, kennitala, values, at } of witness.edits) {
    const item = items.get(eventId);
    const isDecided = witness.isTouched(kennitala, 'decided', 'mixed');
    if (item === undefined) {
      if (!isDecided) witness.blame(`the edit ${eventId} was never written down`);
      continue;
    }
    if (witness.isTouched(kennitala, 'mixed')) continue;
    for (const [path, told] of Object.entries(values)) {
      const outcome = item.settled[path]?.outcome;
      const isIn = (other: Json): boolean => isSameJson(path, other, told);
      const isTold = (): boolean => registry.toldOf(kennitala, path).some(({ value }) => isIn(value));
      const isExplained = (): boolean => {
        switch (outcome) {
          case 'synced':
            return isTold();
          case 'superseded':
          case 'cancelled':
            return (
              isDecided ||
              witness.editsOf(kennitala, path).length > 1 ||
              // The registry was found to have the value already, and has no such member since.
              (outcome === 'cancelled' && isTold())
            );
          case 'conflict':
            return isDisputed(kennitala, path, ({ portal }) => isIn(portal.value));
          case 'failed':
            return (
              told === REFUSED_VALUE ||
              (item.action === 'create'
                ? !registry.allowsCreate || registry.toldOf(kennitala, path, 'registry').length > 0
                : !registry.isCompanion && !isTakenByLegacy(path, told)) ||
              registry.wasAway(kennitala, at) ||
              registry.isLost(item.djangoId, item.kennitala) ||
              witness.isTouched(kennitala, 'givenUp')
            );
          default:
            return false;
        }
      };
      if (!isExplained())
        witness.blame(
          `the edit ${eventId} of ${path} ended ${outcome ?? 'in nothing'}, and nothing says why`,
        );
    }
  }
};

/** What the portal wrote over, the member had seen, or a conflict keeps. */
const checkOverwritten = ({ registry, witness, items, isDisputed }: Seen): void => {
  for (const { kennitala, path, before, by, at, wasEdited } of registry.told) {
    if (by !== 'portal' || !wasEdited || witness.isTouched(kennitala, 'decided', 'mixed')) continue;
    // Only the companion app compares as it writes; without it somebody can come in after the reading.
    const isBetween = registry
      .toldOf(kennitala, path, 'registry')
      .some((it) => it.at <= at && at - it.at < DELIVERY_MS);
    if (!registry.isCompanion && isBetween) continue;
    const isBefore = (value: Json): boolean => isSameJson(path, value, before);
    const isKnown = [...items.values()].some(
      ({ settled: { [path]: end }, kennitala: whose }) =>
        end !== undefined && witness.isSame(whose, kennitala) && [end.oldValue, end.newValue].some(isBefore),
    );
    if (!isKnown && !isDisputed(kennitala, path, (lost) => isBefore(lost.registry.value)))
      witness.blame(`${path} was written over in the registry, and nobody had seen what it was`);
  }
};

/** Where nobody in the registry touched a field, there is no conflict to be had, and the member's last word stands. */
const checkLastWord = ({ registry, witness, items, isDisputed }: Seen): void => {
  for (const [kennitala, row] of registry.rows) {
    if (witness.isTouched(kennitala, 'decided', 'givenUp', 'disordered', 'mixed')) continue;
    const came = registry.toldOf(kennitala, 'name')[0]?.at ?? START;
    // Without the companion app nobody announces the contacts of a number that is new: an edit can start from less.
    const isNew = registry.presence.get(kennitala)?.[0]?.at !== START;
    if (registry.wasAway(kennitala, came) || (!registry.isCompanion && isNew)) continue;
    for (const path of PATHS) {
      const said = witness.editsOf(kennitala, path);
      const [first, last] = [said[0], said.at(-1)?.values[path]];
      const isRegistrys = registry
        .toldOf(kennitala, path, 'registry')
        .some((it) => it.wasEdited || it.at > (first?.at ?? it.at));
      // A dead letter says why it is one, as is checked above.
      const isDead = items.get(said.at(-1)?.eventId ?? '')?.settled[path]?.outcome === 'failed';
      if (last === undefined || isRegistrys || isDead) continue;
      const isTaken = registry.isCompanion || isTakenByLegacy(path, last);
      if (!isTaken || said.some((it) => it.values[path] === REFUSED_VALUE)) continue;
      if (isDisputed(kennitala, path))
        witness.blame(`a conflict about ${path}, which nobody in the registry touched`);
      if (!isSameJson(path, row.values[path], last))
        witness.blame(`the member's last word about ${path} does not stand`);
    }
  }
};

/** What is still under way, of the documents of a collection. */
const OPEN: Readonly<Record<string, (data: Readonly<Record<string, unknown>>) => boolean>> = {
  sync_audit: ({ status }) => status === 'running',
  sync_state: ({ lease }) => Boolean(lease),
  webhook_hints: ({ state }) => state === 'following',
  roster_refreshes: () => true,
};

const checkRecords = ({ stores: { firestore, register }, witness: { blame }, items }: Seen): void => {
  for (const { status, changes, claim } of items.values()) {
    if (status === 'pending' || Object.keys(changes).length > 0 || claim !== null)
      blame('an item of the queue is not closed');
  }
  for (const [collection, isOpen] of Object.entries(OPEN)) {
    if (firestore.all(collection).some(([, data]) => isOpen(data)))
      blame(`something is open in ${collection}`);
  }
  if ([...register.log.values()].some(({ status }) => status === 'pending'))
    blame('a row of the register’s log is open');
  for (const [, { mirror, outcome, guard, approvedBy }] of firestore.all('sync_audit')) {
    const isDone = outcome === 'published' || outcome === 'partial';
    if (isDone && (guard as { tripped?: boolean } | null)?.tripped === true && approvedBy === null)
      blame(`a run of the ${mirror} that the guard refused was done, and nobody approved it`);
  }
};
