import { createHmac } from 'node:crypto';
import type { Kennitala } from './kennitala.ts';

/**
 * The opaque reference by which logs, answers and records name a member: `m_` and 16 hexadecimal digits of an
 * HMAC-SHA256 under a secret key. The same member has the same reference for as long as the key stays, and nobody
 * without the key can find the number by trying all of them (there are fewer than 10^10).
 */
export const makeMemberReference = (key: string, kennitala: Kennitala): string =>
  `m_${createHmac('sha256', key).update(kennitala).digest('hex').slice(0, 16)}`;
