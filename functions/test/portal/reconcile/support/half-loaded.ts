import type { Cursor, Resume, RunContext } from '../../../../src/mirror/mirror.ts';
import type { PortalMirrorDependencies } from '../../../../src/portal/reconcile/portal-mirror.ts';
import { takingOnly } from '../../../support/stack.ts';
import { makeMemoryPortal } from './memory-portal.ts';
import { PEOPLE, plan, reset, row, world } from './one-run.ts';

export const TEN = PEOPLE.slice(0, 10);
export const LEFT = { added: 5, removed: 0, updated: 0, blanked: {} };

/** What a load told on its way, and what it is answered. */
export const load = {
  kept: [] as [Cursor | null, object][],
  judged: [] as object[],
  isRefused: false,
};
/** A registry of ten, and nobody in the portal. */
export const resetLoad = (): void => {
  reset();
  Object.assign(load, { kept: [], judged: [], isRefused: false });
  world.rows = TEN.map((kennitala) => row(kennitala));
};

const resumeAt = (cursor: Cursor | null): Resume => ({
  cursor,
  keep: async (...given) => void load.kept.push(given),
  judge: (figures) => {
    load.judged.push(figures);
    return { tripped: load.isRefused } as never;
  },
});
/** Of a first load of ten, on pages of two, there was time for five. */
export const halfLoaded = async (
  given: Partial<PortalMirrorDependencies> = {},
  more: Partial<RunContext> = {},
) => {
  const first = makeMemoryPortal(world.documents);
  const { apply } = await plan(
    { resume: resumeAt(null), ...more },
    { keptWrites: 0, index: first.index, writer: takingOnly(5, first.writer), ...given },
  );
  const applied = await apply();
  world.documents = first.documents();
  world.asked = [];
  world.forgotten = [];
  return applied;
};
export const goOn = (
  cursor: Cursor | null,
  more: Partial<RunContext> = {},
  given: Partial<PortalMirrorDependencies> = {},
) =>
  plan({ runId: 'run-2', unfinished: LEFT, resume: resumeAt(cursor), ...more }, { keptWrites: 0, ...given });
export const cursorOf = ({ cursor }: { readonly cursor?: Cursor }): Cursor | null => cursor ?? null;
