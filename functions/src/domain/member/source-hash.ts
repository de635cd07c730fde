import { createHash } from 'node:crypto';
import { normalisedFields } from './diff-members.ts';
import type { Member } from './member.ts';

/** Changes when the meaning of the hash does, so that an old hash never passes for a new one. */
const SCHEME = 'member/1';

/**
 * SHA-256 (hex) over everything that is mapped, in the field table's order and normal form: two members have the same
 * hash exactly when `diffMembers` finds nothing between them.
 */
export const sourceHash = (member: Member): string =>
  createHash('sha256')
    .update(JSON.stringify([SCHEME, member.profile.kennitala, normalisedFields(member)]))
    .digest('hex');
