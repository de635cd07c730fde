import type { LocalRegistry } from '../registry/start-registry.ts';
import type { LocalStack } from '../stack.ts';
import { openPortalView, type PortalView } from './portal-view.ts';
import {
  isDone,
  makeConflict,
  reconcileNow,
  type Say,
  type Scenario,
  someone,
  standInOf,
  type TouredRegistry,
  tell,
  untilThere,
} from './tour.ts';

interface Tour {
  readonly stack: LocalStack;
  readonly registry: TouredRegistry;
  readonly portal: PortalView;
  readonly say: Say;
}

const OUTAGE_EDITS = 20;

/** `npm start -- --scenario two-way`: how a member's own edit reaches the registry, and what becomes of a conflict. */
export const playTwoWay: Scenario = async (stack, say) => {
  const registry = standInOf(stack, say);
  if (registry === null) return false;
  const portal = openPortalView(stack);
  const tour: Tour = { stack, registry, portal, say };
  try {
    say(['', "1. A reconcile loads the registry's members into the portal"]);
    const loaded = await reconcileNow(stack);
    const results = [tell(say, isDone(loaded), [`reconcile: ${loaded.outcome}`])];
    for (const part of [edit, conflict, outage]) results.push(await part(tour));
    const isWell = results.every(Boolean);
    say([
      '',
      isWell ? 'Both sides are equal.' : 'Not everything was as it should be: see the lines with a cross.',
    ]);
    return isWell;
  } finally {
    registry.reset();
    await portal.close();
  }
};

const edit = async ({ stack, registry, portal, say }: Tour): Promise<boolean> => {
  say(['', '2. A member changes their e-mail in the portal']);
  const { id, kennitala } = someone(registry);
  const email = newAddress('portal');
  await portal.edit(kennitala, email);
  const arrived = await untilThere(async () => (emailIn(registry, id) === email ? true : null));
  const went = tell(say, arrived !== null, [
    arrived === null ? 'never arrived' : `in the registry after ${arrived.milliseconds.toFixed(0)} ms`,
  ]);
  const back = await untilThere(async () =>
    (await portal.versionOf(kennitala)) === registry.member(id).version ? true : null,
  );
  await stack.functions.drain();
  const queue = await portal.queueOf(kennitala);
  const isQuiet = back !== null && queue.join() === 'synced';
  return tell(say, isQuiet, ['its own webhook came back and queued nothing']) && went;
};

const conflict = async ({ stack, registry, portal, say }: Tour): Promise<boolean> => {
  say(['', '3. The registry and the member change the same e-mail, and neither has heard of the other']);
  const emails = { registry: newAddress('registry'), portal: newAddress('portal') };
  const found = await makeConflict(registry, portal, emails);
  if (found === null) return tell(say, false, ['no conflict was found']);
  const { path, portal: ours, registry: theirs } = found;
  const { id, kennitala } = found.member;
  const listed = tell(say, emailIn(registry, id) === theirs, [
    `sync_conflicts/${found.id}: ${path}`,
    `portal ${ours}`,
    `registry ${theirs}`,
    'within an hour, so the registry stands and a person decides',
  ]);
  const answer = await stack.callAsAdmin('opsApi', `/conflicts/${found.id}/resolve`, {
    path,
    keep: 'portal',
  });
  const equal = await untilThere(async () =>
    emailIn(registry, id) === ours && (await portal.emailOf(kennitala)) === ours ? true : null,
  );
  const decided = tell(say, answer.status === 200 && equal !== null, [
    'an operator keeps the portal’s',
    equal === null ? 'the sides differ' : `both sides hold it after ${equal.milliseconds.toFixed(0)} ms`,
  ]);
  await registry.webhooks.drain();
  return listed && decided;
};

const outage = async ({ stack, registry, portal, say }: Tour): Promise<boolean> => {
  say(['', `4. The registry is down while ${OUTAGE_EDITS} members edit`]);
  registry.addFault({ status: 503, path: '/api/sync/' });
  const people = Array.from({ length: OUTAGE_EDITS }, () => ({
    ...someone(registry),
    email: newAddress('waiting'),
  }));
  for (const { kennitala, email } of people) await portal.edit(kennitala, email);
  const queued = await untilThere(async () => {
    const queues = await Promise.all(people.map(({ kennitala }) => portal.queueOf(kennitala)));
    return queues.every((queue) => queue.includes('pending')) ? true : null;
  });
  const waits = tell(say, queued !== null, [
    queued === null
      ? 'not every edit is queued'
      : 'every edit waits in sync_queue, and is tried again later and later',
  ]);
  registry.clearFaults();
  say(['   the registry is back; an operator does not want to wait']);
  const answer = await stack.callAsAdmin('opsApi', '/two-way/runs', { deliver: 'waiting' });
  // A member can have been picked twice: their last edit counts.
  const last = new Map(people.map(({ id, email }) => [id, email]));
  const arrived = await untilThere(async () =>
    [...last].every(([id, email]) => emailIn(registry, id) === email) ? true : null,
  );
  await registry.webhooks.drain();
  await stack.functions.drain();
  return (
    tell(say, answer.status === 200 && arrived !== null, [
      'POST /two-way/runs {"deliver": "waiting"}',
      arrived === null ? 'some edits are missing' : 'nothing was lost',
    ]) && waits
  );
};

const emailIn = (registry: LocalRegistry, id: number): string | null =>
  registry.member(id).contact_info.email;

let addresses = 0;
const newAddress = (side: string): string => {
  addresses += 1;
  return `${side}.${addresses}.${Date.now().toString(36)}@postur.example`;
};
