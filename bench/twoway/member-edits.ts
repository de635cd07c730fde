import { fromMemberDocument } from '../../functions/src/adapters/firestore/member-document.ts';
import { withFields } from '../../functions/src/domain/member/fields.ts';
import type { DocumentWrite } from '../../functions/src/twoway/ports.ts';
import { makeEditTime } from '../../functions/src/twoway/queue.ts';
import type { Servers } from './servers.ts';

/** What the platform would tell of one member's edits, one after another. */
export const makeBurstWrites = async (
  { db, kennitalas }: Servers,
  edits: number,
): Promise<DocumentWrite[]> => {
  const [kennitala] = kennitalas;
  if (kennitala === undefined) throw new Error('The registry has no member.');
  const document = db.doc(`members/${kennitala}`);
  let before = fromMemberDocument(kennitala, (await document.get()).data() ?? {});
  const seconds = Math.floor(Date.now() / 1_000);
  const writes: DocumentWrite[] = [];
  for (let n = 0; n < edits; n += 1) {
    const email = `burst.${n}@example.is`;
    const after = { ...before, member: withFields(before.member, { 'profile.email': email }) };
    writes.push({
      eventId: `burst-${n}`,
      kennitala,
      at: makeEditTime(seconds, n * 1_000),
      before,
      after,
      isServers: false,
    });
    before = after;
  }
  await document.update({ 'profile.email': before.member.profile.email });
  return writes;
};
