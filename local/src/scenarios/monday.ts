import { runAsScheduler } from '../cli/runs.ts';
import type { LocalRegistry } from '../registry/start-registry.ts';
import type { LocalStack } from '../stack.ts';
import { reconcileNow, type Scenario, standInOf, tell, untilThere } from './tour.ts';
import { openTwoWayView } from './two-way-view.ts';

/** More than the guard lets through of a registry of any size that is worth a try. */
const LOST_SHARE = 0.15;

/**
 * `npm start -- --scenario monday`: leaves an operator what a bad Monday leaves, and the stack up. Somebody else's
 * mistake in the registry has lost members, the weekly run has refused that, and a conflict waits for a decision.
 */
export const prepareMonday: Scenario = async (stack, say) => {
  const registry = standInOf(stack, say);
  if (registry === null) return false;
  const reconciled = await reconcileNow(stack);
  const isLoaded = reconciled.outcome === 'published' || reconciled.outcome === 'unchanged';
  const hasConflict = await makeConflict(stack, registry);
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

/** The registry and the portal change one e-mail, and neither has heard of the other. */
const makeConflict = async (stack: LocalStack, registry: LocalRegistry): Promise<boolean> => {
  const portal = openTwoWayView(stack);
  try {
    const id = registry.randomMember();
    const kennitala = registry.member(id).ssn.replace('-', '');
    registry.webhooks?.pause();
    registry.updateMember(id, { contact_info: { email: 'in.the.registry@postur.example' } });
    await portal.edit(kennitala, 'in.the.portal@postur.example');
    return (await untilThere(() => portal.conflictOf(kennitala))) !== null;
  } finally {
    registry.webhooks?.resume();
    await registry.webhooks?.drain();
    await stack.functions.drain();
    await portal.close();
  }
};
