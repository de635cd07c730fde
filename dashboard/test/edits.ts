import type { QueuePage } from '../../functions/src/ops/schemas.ts';
import { untilThere } from '../../local/src/scenarios/two-way-view.ts';
import type { LocalStack } from '../../local/src/stack.ts';
import type { Everything } from './start-everything.ts';

/** The registry and the portal change one e-mail, and neither has heard of the other. */
export const makeConflict = async ({ stack, portal }: Everything, name: string) => {
  const member = someone(stack);
  stack.registry?.webhooks?.pause();
  stack.registry?.updateMember(member.id, { contact_info: { email: `${name}.theirs@postur.example` } });
  await portal.edit(member.kennitala, `${name}.ours@postur.example`);
  const found = await untilThere(() => portal.conflictOf(member.kennitala));
  stack.registry?.webhooks?.resume();
  if (found === null) throw new Error('no conflict came of it');
  return { ...found.value, memberId: member.id };
};

/** An edit that waits since the registry refuses our token, after a try that failed. It goes on refusing. */
export const makeWaitingEdit = async ({ stack, portal }: Everything, name: string) => {
  const member = someone(stack);
  const email = `${name}@postur.example`;
  const before = await portal.emailOf(member.kennitala);
  stack.registry?.addFault({ status: 403, path: '/api/sync/' });
  await portal.edit(member.kennitala, email);
  const found = await untilThere(async () => {
    const [item] = await pendingItems(stack);
    return item !== undefined && item.retryCount > 0 ? item : null;
  });
  if (found === null) throw new Error('no try has failed');
  return { id: found.value.id, memberId: member.id, kennitala: member.kennitala, email, before };
};

export const emailInRegistry = ({ stack }: Everything, id: number): string | null =>
  stack.registry?.member(id).contact_info.email ?? null;

const someone = ({ registry }: LocalStack): { id: number; kennitala: string } => {
  if (registry === null) throw new Error('needs the stand-in registry');
  const id = registry.randomMember();
  return { id, kennitala: registry.member(id).ssn.replace('-', '') };
};

const pendingItems = async ({ auth, functions }: LocalStack): Promise<QueuePage['items']> => {
  const served = functions.functions.find(({ name }) => name === 'opsApi');
  const token = auth.mintIdToken({ uid: 'test', claims: { roles: ['admin'] } });
  const answer = await fetch(`${served?.url}/queue?status=pending`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return ((await answer.json()) as QueuePage).items;
};
