import type { Kennitala } from '../domain/kennitala.ts';
import type { StoredMember } from '../domain/member/decide-change.ts';
import { type FieldPath, fieldOf, type MemberPatch } from '../domain/member/fields.ts';
import type { MemberChange } from '../domain/member/member-change.ts';
import { type ParsedMember, tryParseRegistryMember } from '../domain/member/parse-registry-member.ts';
import { applyPatch, isSameValue, sourceHash } from '../domain/member/patch.ts';
import { isSyncError } from '../lib/errors.ts';
import {
  type ApplyEventDependencies,
  decideReading,
  isFromOtherTables,
  joinsOrLeaves,
  readChange,
  touchUnchanged,
  withoutOtherTables,
} from './apply-event.ts';
import type { HintStore, RosterRefresh, StandingHint } from './ports.ts';

/**
 * The pauses before each look at the registry. The first lets a registry with one worker take our answer and commit; most
 * transactions of an admin end before the fourth; a delete that still finds the member after four minutes was rolled back.
 */
export const HINT_PAUSES_MS: readonly number[] = [
  250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000, 120_000,
];
/** A registry that has said the same for so long has no transaction open that would change it. */
export const SETTLED_AFTER_MS = 60_000;
/** One look with its tries: ten of them and the pauses stay below the function's 540 s. */
const LOOK_LIMIT_MS = 20_000;

export interface FollowHintDependencies extends ApplyEventDependencies {
  readonly hints: HintStore;
  readonly rosterRefresh: RosterRefresh;
  readonly sleep: (ms: number) => Promise<void>;
  readonly logs: {
    readonly followed: (member: string, result: FollowedHint, looks: number, milliseconds: number) => void;
  };
}

/**
 * confirmed   the registry says what was announced, and the portal holds it
 * settled     it says something else, but has said so for long enough: the change was taken back, or is not to be seen
 * unconfirmed it never agreed; a reconcile decides
 * superseded  a newer hint of the member is followed instead, or there is none any more
 */
export type FollowedHint = 'confirmed' | 'settled' | 'unconfirmed' | 'superseded';

/**
 * Follows one hint: reads the member until what the registry says agrees with what was announced. A registry without the
 * companion app sends its hints inside its own transaction, so the first readings may be older than the change, and a
 * transaction may be rolled back.
 *
 * Nothing is lost and nothing half-applied: the hint stands until the commit that also holds the member's last write, so a
 * crash leaves it to the next delivery of the same document event, which begins again. Each write needs the hint to be
 * the last one still: of two hints of one member only the later is followed, with what both announced; and one whose
 * person was erased writes nothing.
 *
 * Throws the `registry_*` codes, `secret_unavailable`, `store_unavailable`: then the event must be delivered again.
 */
export const followHint = async (
  kennitala: Kennitala,
  token: string,
  dependencies: FollowHintDependencies,
): Promise<FollowedHint> => {
  const { hints, logs, now, reference, sleep } = dependencies;
  const startedAt = now().getTime();
  const end = async (result: FollowedHint, tries: number): Promise<FollowedHint> => {
    logs.followed(await reference(kennitala), result, tries, now().getTime() - startedAt);
    return result;
  };
  let same: SameAnswer | null = null;
  for (const [look, pause] of HINT_PAUSES_MS.entries()) {
    await sleep(pause);
    const hint = await hints.read(kennitala);
    if (hint?.token !== token) return end('superseded', look);
    const looked = await lookAtMember(kennitala, hint, same, dependencies);
    if (looked.result !== null) return end(looked.result, look + 1);
    same = looked.same;
  }
  await hints.giveUp(kennitala, token, { tries: HINT_PAUSES_MS.length, at: now() });
  return end('unconfirmed', HINT_PAUSES_MS.length);
};

/** What the registry last said, as a digest, and since when it has said so. */
interface SameAnswer {
  readonly answer: string;
  readonly since: number;
}

interface Looked {
  /** Null: it goes on. */
  readonly result: Exclude<FollowedHint, 'unconfirmed'> | null;
  readonly same: SameAnswer;
}

const lookAtMember = async (
  kennitala: Kennitala,
  hint: StandingHint,
  before: SameAnswer | null,
  { members, registry, reference, rosterRefresh, now }: FollowHintDependencies,
): Promise<Looked> => {
  const { stored: seen, state, writtenAt } = await members.read(kennitala);
  const read = await tryReadChange(kennitala, registry);
  const answer = read === null ? 'unreadable' : answerOf(read);
  const time = now().getTime();
  const same = before?.answer === answer ? before : { answer, since: time };
  if (read === null) return { result: null, same };

  const payload = tryParseRegistryMember(hint.payload);
  const verdict = judgeReading({ hint, read, payload, stored: seen, sameForMs: time - same.since });
  if (verdict === 'awaited') return { result: null, same };
  const isLast = verdict !== 'open';
  // The payload is older than whatever else was written since it came.
  const isNewest = writtenAt === null || writtenAt <= hint.receivedAt;
  const change =
    verdict === 'confirmed' && isNewest ? completed(read, payload, seen) : withoutOtherTables(read, seen);
  const announcesRoster = hint.announced.has('create') || hint.announced.has('delete');
  // Before the write: a run that dies half-way has asked for it, and the roster is made of the registry.
  if (joinsOrLeaves(seen, change) || (isLast && announcesRoster)) await rosterRefresh.request(now());
  const member = await reference(kennitala);
  const at = now();
  const outcome = await members.applyChange({
    kennitala,
    eventId: null,
    ifState: state,
    hint: { token: hint.token, closes: isLast },
    djangoId: change.content?.djangoId ?? null,
    at,
    decide: (stored, pending, former) => {
      const decision = decideReading(stored, change, { pending, former, origin: 'registry', now: at });
      return isLast ? touchUnchanged(stored, decision) : decision;
    },
    toReceipt: () => ({ result: 'applied', action: change.action, member, changesRoster: false }),
  });
  if (outcome.kind === 'superseded') return { result: 'superseded', same };
  // Another writer came between: what was read may be older than that, so the next look decides.
  return { result: isLast && outcome.kind === 'decided' ? verdict : null, same };
};

/** Null for a member who cannot be read: the hint stays open, and the reconcile names the field. */
const tryReadChange = async (
  kennitala: Kennitala,
  registry: ApplyEventDependencies['registry'],
): Promise<MemberChange | null> => {
  try {
    return await readChange(kennitala, registry, AbortSignal.timeout(LOOK_LIMIT_MS));
  } catch (cause) {
    if (isSyncError(cause, 'member_invalid')) return null;
    throw cause;
  }
};

const answerOf = ({ content }: MemberChange): string =>
  content === null ? 'none' : `${sourceHash(applyPatch(null, content))} ${content.version}`;

export interface ReadingToJudge {
  readonly hint: Pick<StandingHint, 'announced'>;
  readonly read: MemberChange;
  readonly payload: ParsedMember | null;
  readonly stored: StoredMember | null;
  /** How long the registry has said the same. */
  readonly sameForMs: number;
}

/**
 * What one reading says of what was announced. Pure.
 *
 * | announced | the registry has the member | it has not |
 * |---|---|---|
 * | create, update | confirmed once it shows `data`, or (without `data`) something new; settled in time | awaited |
 * | delete | awaited | confirmed |
 * | both, in whatever order | open, then settled in time | awaited, then settled in time |
 *
 * `awaited`: nothing is written; `open`: what it says is written, and the next look decides.
 */
export const judgeReading = ({
  hint: { announced },
  read,
  payload,
  stored,
  sameForMs,
}: ReadingToJudge): 'confirmed' | 'settled' | 'open' | 'awaited' => {
  const isThere = read.action !== 'delete';
  const mayBeGone = announced.has('delete');
  const mayBeThere = announced.has('create') || announced.has('update');
  const isSettled = sameForMs >= SETTLED_AFTER_MS;
  if (isThere ? !mayBeThere : !mayBeGone) return 'awaited';
  if (mayBeThere && mayBeGone) return isSettled ? 'settled' : isThere ? 'open' : 'awaited';
  if (read.content === null) return 'confirmed';
  if (isSettled) return 'settled';
  const isNews = payload === null ? isNewTo(stored, read.content) : saysTheSame(payload, read.content);
  return isNews ? 'confirmed' : 'open';
};

const isNewTo = (stored: StoredMember | null, content: ParsedMember): boolean => {
  if (stored === null || stored.member.membership.status !== 'active') return true;
  const patch = comparable(content);
  const after = applyPatch(stored.member, { kennitala: content.kennitala, content: patch });
  return Object.keys(patch).some(
    (path) =>
      !isSameValue(
        path as FieldPath,
        fieldOf(stored.member, path as FieldPath),
        fieldOf(after, path as FieldPath),
      ),
  );
};

/** Where both say something: each leaves out what it does not know. */
const saysTheSame = (payload: ParsedMember, content: ParsedMember): boolean => {
  const said = comparable(content);
  const [one, other] = [payload.content, said].map((patch) =>
    applyPatch(null, {
      kennitala: content.kennitala,
      content: Object.fromEntries(
        Object.entries(patch).filter(([path]) => path in said && path in payload.content),
      ),
    }),
  );
  return one !== undefined && other !== undefined && sourceHash(one) === sourceHash(other);
};

const comparable = (content: ParsedMember): MemberPatch => {
  if (!isFromOtherTables(content)) return content.content;
  const { 'profile.email': _email, 'profile.addresses': _addresses, ...rest } = content.content;
  return rest;
};

/** A reading of a registry without the companion app, with what only `data` says or says better. */
const completed = (
  read: MemberChange,
  payload: ParsedMember | null,
  stored: StoredMember | null,
): MemberChange => {
  if (read.content === null || payload === null || !isFromOtherTables(read.content)) {
    return withoutOtherTables(read, stored);
  }
  const fallback = withoutOtherTables(read, stored).content?.content ?? {};
  return {
    ...read,
    content: {
      ...read.content,
      djangoId: payload.djangoId,
      content: { ...fallback, ...payload.content, ...comparable(read.content) },
    },
  };
};
