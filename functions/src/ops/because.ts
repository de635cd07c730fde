import type { MirrorName } from '../mirror/mirror.ts';
import type { MirrorState } from './ports.ts';
import type { BecauseCode, ExplainAnswer } from './schemas.ts';
import { MIRRORS } from './status.ts';

type Now = ExplainAnswer['now'];

export interface BecauseContext {
  /** Null: it could not be read. */
  readonly states: Readonly<Record<MirrorName, MirrorState>> | null;
  readonly isPlaceholder: boolean;
  /** How the portal's document differs from the registry's word; null: it is not known. */
  readonly portal: PortalDifference | null;
}

export interface PortalDifference {
  /** It holds a version that the registry has not reached, so no run changes it. */
  readonly isAhead: boolean;
  /** Fields of both, without those where the member's own edit waits. */
  readonly paths: readonly string[];
}

/** Why each mirror holds the person or not, in the light of what the registry says now. Pure. */
export const explainMirrors = (now: Now, context: BecauseContext): ExplainAnswer['because'] =>
  MIRRORS.filter((mirror) => !(mirror === 'register' && now.register.state === 'not-configured')).map(
    (mirror) => {
      const code = explainMirror(mirror, now, context);
      return { mirror, code, text: textOf(mirror, code, now, context) };
    },
  );

const explainMirror = (
  mirror: MirrorName,
  now: Now,
  { states, isPlaceholder, portal }: BecauseContext,
): BecauseCode => {
  const isHeld = holdsMember(mirror, now);
  if (isHeld === null) return 'mirror_unknown';
  if (isPlaceholder) return 'placeholder';
  const { registry } = now;
  if (registry.state === 'unreadable') return 'registry_unreadable';
  if (registry.state === 'unknown') return 'registry_unknown';
  const isMember = registry.state === 'member';
  if (mirror === 'portal' && isMember && portal?.isAhead === true) return 'ahead_of_registry';
  if (isMember === isHeld) {
    if (mirror !== 'portal' || !isMember) return 'equal_to_registry';
    if (portal === null) return 'mirror_unknown';
    return portal.paths.length === 0 ? 'equal_to_registry' : 'content_differs';
  }
  const state = states?.[mirror] ?? null;
  if (state?.pause) return 'mirror_paused';
  if (state?.lastRun?.outcome === 'blocked') return 'last_run_blocked';
  if (state?.lastRun?.outcome === 'failed') return 'last_run_failed';
  return isMember && wasKnownBefore(now, state) ? 'not_in_last_export' : 'waits_for_next_run';
};

/** Null: it could not be read. */
const holdsMember = (mirror: MirrorName, { roster, portal, register }: Now): boolean | null => {
  switch (mirror) {
    case 'roster':
      return roster.state === 'unknown' ? null : roster.state === 'listed';
    case 'portal':
      return portal.state === 'unknown' ? null : portal.state === 'active';
    case 'register':
      return register.state === 'unknown' ? null : register.state === 'active';
    default: {
      const never: never = mirror;
      return never;
    }
  }
};

/** The portal had the member before the mirror's last success, which nevertheless left them out. */
const wasKnownBefore = ({ portal }: Now, state: MirrorState | null): boolean =>
  portal.state === 'active' &&
  portal.syncedAt !== null &&
  state?.lastSuccess != null &&
  new Date(portal.syncedAt) < state.lastSuccess.at;

const textOf = (mirror: MirrorName, code: BecauseCode, now: Now, { portal }: BecauseContext): string => {
  const isHeld = holdsMember(mirror, now) === true;
  const here = isHeld
    ? `The ${mirror} has this member`
    : `The ${mirror} does not have this person as a member`;
  const fields = (portal?.paths ?? []).join(', ');
  return `${here}: ${TEXTS[code](isHeld)}${code === 'content_differs' ? ` (${fields})` : ''}`;
};

const TEXTS: Record<BecauseCode, (isHeld: boolean) => string> = {
  equal_to_registry: (isHeld) => (isHeld ? 'so does the registry.' : 'neither does the registry.'),
  ahead_of_registry: () =>
    'it holds a later version than the registry has, so no run changes it; take the registry’s word.',
  content_differs: () => 'so does the registry, with other values; the next run brings them',
  placeholder: () => 'the number is a placeholder (9999…), and those are no members.',
  registry_unknown: () => 'whether the registry does could not be found out now.',
  mirror_unknown: () => 'the mirror could not be read, so this is not certain.',
  registry_unreadable: () =>
    'what the registry sends about the person cannot be read, so it is left out of runs.',
  mirror_paused: () => 'the mirror is paused and keeps what it had.',
  last_run_blocked: () => 'the guard refused the last run, and nothing was changed.',
  last_run_failed: () => 'the last run failed, and nothing was changed.',
  not_in_last_export: () =>
    'the registry has the person, but its list for the last run, which went well, left them out.',
  waits_for_next_run: (isHeld) =>
    isHeld
      ? 'the registry has not; the next run takes them out.'
      : 'the registry has; the next run brings them in.',
};
