import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { SyncError } from '../../../src/lib/errors.ts';
import type { LastSuccess, MissedEvents, RunContext } from '../../../src/mirror/mirror.ts';
import { makePortalMirror } from '../../../src/portal/reconcile/portal-mirror.ts';
import type { MemberPages } from '../../../src/registry/ports.ts';
import { makeMemoryPortalIndex, makeMemoryPortalWriter } from '../../contract/memory-portal.ts';
import type { Process } from './interleaving.ts';
import type { ModelPortal } from './model-portal.ts';
import type { ModelRegistry } from './model-registry.ts';

export interface ReconcilerDependencies {
  readonly registry: ModelRegistry;
  readonly portal: ModelPortal;
  readonly reference: (kennitala: Kennitala) => Promise<string>;
  readonly now: () => Date;
}

/** How many documents a run wrote, and how many changes it says no event had announced. */
export interface Reconciled {
  readonly written: number;
  readonly missed: MissedEvents | null;
}

/** Runs the reconcile's own steps, one run after another; what the pipeline adds has tests of its own. */
export const makeReconciler = (dependencies: ReconcilerDependencies) => {
  const { registry, portal, reference, now } = dependencies;
  const { memory, requestRoster } = portal;
  let lastSuccess: LastSuccess | null = null;

  return async (process: Process): Promise<Reconciled> => {
    const mirror = makePortalMirror({
      pages: pagesOf(registry, process),
      registry: {
        readMember: (kennitala, options) => process.call(() => registry.readMember(kennitala, options)),
      },
      index: makeMemoryPortalIndex(memory, process.call),
      writer: makeMemoryPortalWriter(memory, process.call),
      rosterRefresh: { request: () => process.call(requestRoster) },
      hints: { forgetBefore: (time) => process.call(() => portal.hints.forgetBefore(time)) },
      reference,
      now,
    });
    const context: RunContext = {
      runId: 'run',
      startedAt: now(),
      lastSuccess,
      unfinished: null,
      abandonedRunId: null,
      signal: new AbortController().signal,
    };
    const source = await mirror.fetch(context);
    const plan = await mirror.plan(source, context);
    const written = plan.differences.length;
    const facts =
      written > 0 ? await mirror.apply(plan, source, context) : await mirror.confirm(plan, source, context);
    lastSuccess = { runId: 'run', at: context.startedAt, memberCount: plan.memberCount };
    return { written, missed: facts.missedEvents ?? plan.missedEvents ?? null };
  };
};

/** Each page is read at its own moment; a registry whose total moves meanwhile is not believed. */
const pagesOf = (registry: ModelRegistry, process: Process): MemberPages => ({
  async *pages({ modifiedSince }) {
    let total: number | null = null;
    for (let number = 0; total === null || number < total; number += 1) {
      const page = await process.call(() => registry.page(number, modifiedSince));
      total ??= page.count;
      if (page.count !== total) throw new SyncError('registry_invalid_response', 'The total moved.');
      yield page;
    }
  },
});
