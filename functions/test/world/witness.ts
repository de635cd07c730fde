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
import { LIMITS, LIST, referenceOf, type Stores } from './system.ts';

/** A clock of ours is never further from the world's. */
export const MOST_SKEW_MS = 120_000;
/** When each history begins, and its first members join. */
export const START = Date.parse('2026-11-20T10:00:00Z');
const CONSENT = 'profile.reachable';
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
    givenUp: new Set<string>(),
    disordered: new Set<Kennitala>(),
  };
  /** Instances that an operator had approve a plan, or bring a version back. */
  const approvers = new Set<string>();
  const rollbacks = new Set<string>();
  /** Edits whose events have come. */
  const heard = new Set<string>();
  const removals = new Map<string, Set<string>>();
  let stores: Stores | null = null;

  const blame = (what: string): void => {
    if (!violations.includes(what)) {
      violations.push(what);
      tell(`!! ${what}`);
    }
  };
  const nameIn = (kennitala: string): string => referenceOf(kennitala as Kennitala).slice(0, 6);

  const isApproved = (runId: string): boolean => [...approvers].some((id) => runId.includes(`-${id}-`));
  const isRollback = (runId: string): boolean => [...rollbacks].some((id) => runId.includes(`-${id}-`));
  const startOf = (runId: string): number =>
    Date.parse(runId.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, '$1-$2-$3T$4:$5:$6Z')) -
    MOST_SKEW_MS;

  /** Nobody is removed by a run whom the registry had all along since the run began, and no more than the guard lets through. */
  const onRemoval = (mirror: MirrorName, kennitala: string, run: string | null, since: number): void => {
    if (!registry.wasAbsentSince(kennitala as Kennitala, since)) {
      blame(`the ${mirror} lost ${nameIn(kennitala)}, whom the registry has had all the time`);
    }
    if (run === null) return;
    const removed = removals.get(`${mirror} ${run}`) ?? new Set();
    removals.set(`${mirror} ${run}`, removed.add(kennitala));
    const isLetThrough = isApproved(run) || (mirror === 'portal' && approvers.size > 0);
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

  const onConsent = (kennitala: Kennitala): void => {
    const last = edits.findLast((one) => one.kennitala === kennitala && CONSENT in one.values);
    if (last?.values[CONSENT] !== false || touched.decided.has(kennitala)) return;
    // Who gives it and takes it back before either event has come leaves the document as it was: until then a word of the
    // registry's own, however old, looks like news.
    const isHidden =
      !heard.has(last.eventId) &&
      edits.some((it) => it.kennitala === kennitala && it.values[CONSENT] === true && !heard.has(it.eventId));
    const isRegistrys = registry.told.some(
      (it) =>
        it.kennitala === kennitala &&
        it.path === CONSENT &&
        it.by === 'registry' &&
        it.value === true &&
        (isHidden ? it.at > START : it.at >= last.at),
    );
    if (!isRegistrys)
      blame(`a consent that ${nameIn(kennitala)} withdrew was switched on again by ${acting.instance?.name}`);
  };

  const onText = (where: string, text: () => string): void => {
    if (erased.size === 0) return;
    for (const kennitala of erased) {
      if (text().includes(kennitala)) blame(`somebody who was erased came back in ${where}`);
    }
  };

  return {
    violations,
    edits,
    erased,
    touched,
    blame,
    watch: (watched: Stores): void => {
      stores = watched;
    },
    approves: (instance: string): void => void approvers.add(instance),
    rollsBack: (instance: string): void => void rollbacks.add(instance),
    onLog: (_severity: Severity, message: string, fields: LogFields): void => {
      if (
        [fields['event'], fields['code'], fields['errorCode']].some(
          (one) => one === 'internal' || one === 'http_failed',
        )
      )
        blame(`a function logged ${message} ${JSON.stringify(fields)}`);
      if (PERSON.test(JSON.stringify([message, fields])))
        blame(`a number stands in the log: ${fields['event']}`);
    },
    onFailure: (failure: unknown): void => {
      if (isSyncError(failure) && failure.code !== 'internal') return;
      blame(
        `a function threw ${failure instanceof Error ? (failure.stack ?? failure.message) : JSON.stringify(failure)}`,
      );
    },
    onErased: (kennitala: Kennitala): void => {
      erased.add(kennitala);
      for (const [path, data] of stores?.firestore.everything() ?? [])
        onText(path, () => path + JSON.stringify(data));
      if (stores?.register.rows.has(kennitala)) blame('somebody who was erased is in the register');
    },
    onWrite: ({ path, before, after }: Written): void => {
      const [collection = '', id = ''] = path.split('/');
      // A late announcement names them, until the registry has said that they are gone: at rest there is no hint.
      if (after.exists && collection !== 'webhook_hints')
        onText(collection, () => path + JSON.stringify(after.data()));
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
        onRemoval('portal', id, run, run === null ? Number.NEGATIVE_INFINITY : at - MOST_SKEW_MS);
      }
      const isServers = before.get('metadata.last_modified') !== after.get('metadata.last_modified');
      if (isServers && was?.member.profile.reachable === false && is?.member.profile.reachable === true)
        onConsent(kennitala);
    },
    onPublish: (published: Published): void => {
      const [before, after] = [linesOf(published.before), linesOf(published.after)];
      const { runId = '' } = published.metadata;
      onText('the list', () => after.join());
      if (isRollback(runId)) return;
      for (const kennitala of before)
        if (!after.includes(kennitala)) onRemoval('roster', kennitala, runId, startOf(runId));
      const added = after.filter((kennitala) => !before.includes(kennitala)).length;
      if (before.length > 0 && added > LIMITS.addedFloor && !isApproved(runId)) {
        blame(`a run of the roster added ${added} members, which the guard refuses, and nobody approved it`);
      }
    },
    onRegister: (before: Row | null, after: Row, runId: string | null): void => {
      onText('the register', () => after.kennitala);
      if (before?.is_active !== true || after.is_active) return;
      onRemoval(
        'register',
        after.kennitala,
        runId,
        runId === null ? Number.NEGATIVE_INFINITY : startOf(runId),
      );
    },
  };
};

const linesOf = (bytes: Uint8Array | null): string[] =>
  Buffer.from(bytes ?? [])
    .toString('latin1')
    .split('\n')
    .filter(Boolean);
/** A kennitala, which no time, identifier or count of a log looks like. */
const PERSON = /(?<![\dA-Za-z-])\d{10}(?![\dA-Za-z-])/;

export type Witness = ReturnType<typeof makeWitness>;

interface Ended {
  readonly registry: Registry;
  readonly stores: Stores;
  readonly witness: Witness;
  readonly counts: { readonly events: number };
}

/** What must hold when nothing is under way any more. */
export const checkEnd = (world: Ended, steps: number): void => {
  const { firestore } = world.stores;
  const items = new Map<string, QueueItem>();
  for (const [path, data] of firestore.all('sync_queue')) {
    const id = path.slice('sync_queue/'.length);
    const item = tryItemDocument(id, data);
    if (item === null) world.witness.blame('an item of the queue cannot be read');
    else items.set(id, item);
  }
  const conflicts = firestore
    .all('sync_conflicts')
    .map(([path, data]) => fromConflictDocument(path.split('/')[1] ?? '', data));
  checkEqual(world);
  checkEdits(world, items, conflicts);
  checkOverwritten(world, items, conflicts);
  checkLastWord(world, conflicts);
  checkRecords(world, items);
  // Every message comes of something that somebody did; an echo would go on for ever.
  if (world.counts.events > 40 + steps * 8)
    world.witness.blame(`${world.counts.events} messages of ${steps} steps`);
};

const checkEqual = (world: Ended): void => {
  const { registry, stores, witness } = world;
  const there = [...registry.rows.keys()].sort();
  const lines = linesOf(stores.storage.held(LIST)).sort();
  if (there.join() !== lines.join()) witness.blame('the list is not as the registry');
  const active = [...stores.register.rows.values()].filter(({ is_active }) => is_active);
  if (active.length !== there.length) witness.blame('the register has others than the registry');
  for (const { kennitala, name, email } of active) {
    const values = registry.rows.get(kennitala)?.values;
    if (values?.name !== name || (values['profile.email'] || null) !== email) {
      witness.blame('a row of the register is not as the registry has it');
    }
  }
  checkPortal(world);
};

/** With the companion app each event comes at last, so this holds before any reconcile. */
export const checkPortal = ({ registry, stores, witness }: Ended): void => {
  const documents = new Map(
    stores.firestore.all('members').map(([path, data]) => {
      const kennitala = path.slice('members/'.length) as Kennitala;
      return [kennitala, fromMemberDocument(kennitala, data)] as const;
    }),
  );
  for (const [kennitala, { member, meta }] of documents) {
    const isActive = member.membership.status === 'active';
    if (isActive !== registry.rows.has(kennitala))
      witness.blame('somebody is shown in the portal who has left, or not shown');
    if (!isActive && meta.deleted_at === null)
      witness.blame('somebody is gone from the portal without a tombstone');
  }
  for (const [kennitala, { values, version }] of registry.rows) {
    const shown = documents.get(kennitala);
    if (shown === undefined) {
      witness.blame('somebody is missing in the portal');
      continue;
    }
    const { name, email, facebook, reachable } = shown.member.profile;
    const isWithdrawn = shown.meta.withdrawn?.[CONSENT] !== undefined;
    const differing = Object.entries({
      name,
      'profile.email': email,
      'profile.facebook': facebook,
      [CONSENT]: reachable,
    }).filter(
      ([path, value]) =>
        value !== (isWithdrawn && path === CONSENT ? false : values[path as keyof typeof values]),
    );
    for (const [path, value] of differing) {
      witness.blame(
        `the portal shows ${path} ${JSON.stringify(value)}, and the registry has ${JSON.stringify(values[path as keyof typeof values])}`,
      );
    }
    if (registry.isCompanion && shown.meta.source_version !== version)
      witness.blame('a member in the portal is of another version');
  }
};

/** Each edit is applied, superseded by another of the member's own, a dead letter with a reason, or recorded in a conflict. */
const checkEdits = (
  { registry, witness }: Ended,
  items: ReadonlyMap<string, QueueItem>,
  conflicts: readonly ConflictRecord[],
): void => {
  for (const { eventId, kennitala, values } of witness.edits) {
    const item = items.get(eventId);
    if (item === undefined) {
      if (!witness.touched.decided.has(kennitala))
        witness.blame(`the edit ${eventId} was never written down`);
      continue;
    }
    for (const path of Object.keys(values)) {
      const end = item.settled[path];
      const told = values[path] ?? null;
      const isIn = (other: Json): boolean => isSameJson(path, other, told);
      const isTold = (): boolean =>
        registry.told.some((it) => it.kennitala === kennitala && it.path === path && isIn(it.value));
      const isExplained = (): boolean => {
        switch (end?.outcome) {
          case 'synced':
            return isTold();
          case 'superseded':
          case 'cancelled':
            return (
              witness.edits.some(
                (it) => it.eventId !== eventId && it.kennitala === kennitala && path in it.values,
              ) ||
              witness.touched.decided.has(kennitala) ||
              // The registry was found to have the value already, and has no such member since.
              (end.outcome === 'cancelled' && isTold())
            );
          case 'conflict':
            return conflicts.some(
              (it) =>
                it.kennitala === kennitala &&
                it.paths[path] !== undefined &&
                isIn(it.paths[path].portal.value),
            );
          case 'failed':
            return (
              told === REFUSED_VALUE ||
              (!registry.isCompanion && !isTakenByLegacy(path, told)) ||
              registry.wasAbsentSince(kennitala, 0) ||
              witness.touched.givenUp.has(kennitala)
            );
          default:
            return false;
        }
      };
      if (!isExplained())
        witness.blame(
          `the edit ${eventId} of ${path} ended ${end?.outcome ?? 'in nothing'}, and nothing says why`,
        );
    }
  }
};

/** What the portal wrote over, the member had seen, or a conflict keeps. */
const checkOverwritten = (
  { registry, witness }: Ended,
  items: ReadonlyMap<string, QueueItem>,
  conflicts: readonly ConflictRecord[],
): void => {
  for (const { kennitala, path, before, by, at } of registry.told) {
    if (by !== 'portal' || witness.touched.decided.has(kennitala)) continue;
    // Only the companion app compares as it writes; without it somebody can come in after the reading.
    const isBetween = registry.told.some(
      (it) =>
        it.kennitala === kennitala &&
        it.path === path &&
        it.by === 'registry' &&
        it.at <= at &&
        at - it.at < DELIVERY_MS,
    );
    if (!registry.isCompanion && isBetween) continue;
    const isKnown = [...items.values()].some(({ settled, kennitala: whose }) => {
      const end = settled[path];
      return (
        whose === kennitala &&
        end !== undefined &&
        [end.oldValue, end.newValue].some((known) => isSameJson(path, known, before))
      );
    });
    const isRecorded = conflicts.some(
      (it) =>
        it.kennitala === kennitala &&
        it.paths[path] !== undefined &&
        isSameJson(path, it.paths[path].registry.value, before),
    );
    if (!isKnown && !isRecorded)
      witness.blame(`${path} was written over in the registry, and nobody had seen what it was`);
  }
};

/** Where nobody in the registry touched a field, there is no conflict to be had, and the member's last word stands. */
const checkLastWord = ({ registry, witness }: Ended, conflicts: readonly ConflictRecord[]): void => {
  const { decided, givenUp, disordered } = witness.touched;
  for (const kennitala of registry.rows.keys()) {
    if (decided.has(kennitala) || givenUp.has(kennitala) || disordered.has(kennitala)) continue;
    const came = registry.presence.get(kennitala) ?? [];
    // Without the companion app nobody announces the contacts of who has just joined: an edit can start from less.
    if (came.length > 1 || (!registry.isCompanion && (came[0]?.at ?? 0) > START)) continue;
    for (const path of PATHS) {
      const said = witness.edits.filter((it) => it.kennitala === kennitala && path in it.values);
      const last = said.at(-1)?.values[path];
      const isRegistrys = registry.told.some(
        (it) => it.kennitala === kennitala && it.path === path && it.by === 'registry' && it.wasEdited,
      );
      if (last === undefined || isRegistrys || said.some((it) => it.values[path] === REFUSED_VALUE)) continue;
      if (!registry.isCompanion && !isTakenByLegacy(path, last)) continue;
      if (conflicts.some((it) => it.kennitala === kennitala && path in it.paths)) {
        witness.blame(`a conflict about ${path}, which nobody in the registry touched`);
      }
      const value = registry.rows.get(kennitala)?.values[path];
      if (!isSameJson(path, value ?? null, last))
        witness.blame(`the member's last word about ${path} does not stand`);
    }
  }
};

const checkRecords = ({ stores, witness }: Ended, items: ReadonlyMap<string, QueueItem>): void => {
  const { firestore, register } = stores;
  for (const { status, changes, claim } of items.values()) {
    if (status === 'pending' || Object.keys(changes).length > 0 || claim !== null)
      witness.blame('an item of the queue is not closed');
  }
  for (const [, record] of firestore.all('sync_audit')) {
    if (record['status'] === 'running')
      witness.blame(`the record of a run of the ${record['mirror']} is open`);
    const guard = record['guard'] as { tripped?: boolean } | null;
    const isDone = record['outcome'] === 'published' || record['outcome'] === 'partial';
    if (isDone && guard?.tripped === true && record['approvedBy'] === null) {
      witness.blame(
        `a run of the ${record['mirror']} that the guard refused was done, and nobody approved it`,
      );
    }
  }
  for (const { status } of register.log.values()) {
    if (status === 'pending') witness.blame('a row of the register’s log is open');
  }
  for (const [path, state] of firestore.all('sync_state')) {
    if (state['lease']) witness.blame(`a lease of ${path} is held by nobody`);
  }
  for (const [, { state }] of firestore.all('webhook_hints')) {
    if (state === 'following') witness.blame('a hint is followed by nobody');
  }
  if (firestore.all('roster_refreshes').length > 0) witness.blame('a request for a new list is open');
};
