import { fromMemberDocument } from '../../functions/src/adapters/firestore/member-document.ts';
import type { Kennitala } from '../../functions/src/domain/kennitala.ts';
import { withFields } from '../../functions/src/domain/member/fields.ts';
import type { DocumentWrite } from '../../functions/src/twoway/ports.ts';
import { makeEditTime } from '../../functions/src/twoway/queue.ts';
import type { Servers } from './servers.ts';

/** What the platform would tell of one member's edits of their address, one after another; the document shows the last. */
export const makeEdits = async (
  { db }: Servers,
  kennitala: Kennitala,
  emails: readonly string[],
): Promise<DocumentWrite[]> => {
  const document = db.doc(`members/${kennitala}`);
  let before = fromMemberDocument(kennitala, (await document.get()).data() ?? {});
  // Later than the document, which may have been made in this second.
  const seconds = Math.ceil(Date.now() / 1_000);
  const writes: DocumentWrite[] = [];
  for (const [n, email] of emails.entries()) {
    const after = { ...before, member: withFields(before.member, { 'profile.email': email }) };
    const at = makeEditTime(seconds, n * 1_000);
    writes.push({ eventId: `edit-${email}`, kennitala, at, before, after, isServers: false });
    before = after;
  }
  await document.update({ 'profile.email': before.member.profile.email });
  return writes;
};
