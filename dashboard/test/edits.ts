import { Firestore, Timestamp } from '@google-cloud/firestore';
import type { QueuePage } from '../../functions/src/ops/schemas.ts';
import { untilThere } from '../../local/src/scenarios/tour.ts';
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

/** The registry changes one member, and no event tells of it. */
export const changeUnheard = ({ stack }: Everything, name: string) => {
  const member = someone(stack);
  const email = `${name}@postur.example`;
  stack.registry?.webhooks?.pause();
  stack.registry?.updateMember(member.id, { contact_info: { email } });
  return { kennitala: member.kennitala, email };
};

/** As after a restored backup: the registry's word is another one, of a version that the portal has long passed. */
export const makeAhead = async (all: Everything, name: string) => {
  const member = changeUnheard(all, name);
  await withFirestore(all, (db) =>
    db.collection('members').doc(member.kennitala).update({ 'metadata.source_version': 1_000 }),
  );
  return member;
};

/** A hint of a registry without versions that was given up days ago, about nobody in particular. */
export const leaveHint = (all: Everything) =>
  withFirestore(all, (db) => {
    const longAgo = Timestamp.fromMillis(Date.now() - 3 * 86_400_000);
    return db
      .collection('webhook_hints')
      .doc('0101302989')
      .set({
        token: 'of-a-test',
        state: 'unconfirmed',
        announced: ['update'],
        last_at: longAgo,
      });
  });

const withFirestore = async <T>({ stack }: Everything, work: (db: Firestore) => Promise<T>): Promise<T> => {
  const { host, port } = stack.firestore;
  const client = new Firestore({ projectId: stack.functions.projectId, host: `${host}:${port}`, ssl: false });
  try {
    return await work(client);
  } finally {
    await client.terminate();
  }
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
