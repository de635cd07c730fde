import { runAsScheduler } from '../cli/runs.ts';
import { openPortalView } from './portal-view.ts';
import { isDone, makeConflict, reconcileNow, type Scenario, standInOf, tell } from './tour.ts';

/** More than the guard lets through of a registry of any size that is worth a try. */
const LOST_SHARE = 0.15;

/**
 * `npm start -- --scenario monday`: leaves an operator what a bad Monday leaves, and the stack up. Somebody else's
 * mistake in the registry has lost members, the weekly run has refused that, and a conflict waits for a decision.
 */
export const prepareMonday: Scenario = async (stack, say) => {
  const registry = standInOf(stack, say);
  if (registry === null) return false;
  const isLoaded = isDone(await reconcileNow(stack));
  const portal = openPortalView(stack);
  const emails = { registry: 'in.the.registry@postur.example', portal: 'in.the.portal@postur.example' };
  const hasConflict = (await makeConflict(registry, portal, emails)) !== null;
  await portal.close();
  await registry.webhooks.drain();
  await stack.functions.drain();
  const lost = Math.ceil(registry.summary().members * LOST_SHARE);
  registry.addFault({ drop: lost });
  const isRefused = (await runAsScheduler(stack)).record?.outcome === 'blocked';
  say(['']);
  const results = [
    tell(say, isLoaded, ["the portal has the registry's members"]),
    tell(say, hasConflict, ['a member and the registry have changed the same e-mail: a conflict waits']),
    tell(say, isRefused, [`the registry has lost ${lost} members, and the guard has refused the weekly run`]),
  ];
  say([
    '',
    'Now it is yours: README.md, "A Monday", on the command line or on the page.',
    `  the registry is mended with: curl -X DELETE ${stack.registryUrl}/_control/faults`,
  ]);
  return results.every(Boolean);
};
