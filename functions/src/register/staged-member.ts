import type { ParsedMember } from '../domain/member/parse-registry-member.ts';
import { SAID, type StagedMember } from './ports.ts';

/** Characters (code points, as PostgreSQL counts them). */
const NAME_MAX = 255;
const EMAIL_MAX = 255;
const PHONE_MAX = 20;

/**
 * What the register's columns could not hold as it was sent: a name is cut (nobody is left out for a long name), an
 * e-mail address or phone number is left empty, since a cut one could be somebody else's.
 */
export type Adjustment = 'name_cut' | 'email_too_long' | 'phone_too_long';

export interface Staged {
  readonly member: StagedMember;
  readonly adjustments: readonly Adjustment[];
}

/** The columns of one member. Fields that the registry did not mention are marked, not guessed. */
export const toStagedMember = ({ kennitala, djangoId, version, content, digest }: ParsedMember): Staged => {
  const adjustments = new Set<Adjustment>();
  const fitting = (text: string | undefined, max: number, otherwise: Adjustment): string | null => {
    const kept = (text ?? '').trim();
    if (lengthOf(kept) <= max) return kept === '' ? null : kept;
    adjustments.add(otherwise);
    return null;
  };
  const named = content['profile.name'] ?? '';
  const name = lengthOf(named) > NAME_MAX ? [...named].slice(0, NAME_MAX).join('') : named;
  if (name !== named) adjustments.add('name_cut');
  const joined = content['membership.date_joined'];
  return {
    member: {
      kennitala,
      name,
      email: fitting(content['profile.email'], EMAIL_MAX, 'email_too_long'),
      phone: fitting(content['profile.phone'], PHONE_MAX, 'phone_too_long'),
      external_id: djangoId === null ? null : String(djangoId),
      date_joined: joined?.toISOString() ?? null,
      version,
      digest_a: digest?.a ?? null,
      digest_b: digest?.b ?? null,
      said:
        (content['profile.name'] === undefined ? 0 : SAID.name) |
        (content['profile.email'] === undefined ? 0 : SAID.email) |
        (content['profile.phone'] === undefined ? 0 : SAID.phone) |
        (djangoId === null ? 0 : SAID.externalId) |
        (joined === undefined ? 0 : SAID.dateJoined) |
        (version === null ? 0 : SAID.version),
    },
    adjustments: [...adjustments],
  };
};

/** Most texts are short in any way of counting; only a long one is counted by code points. */
const lengthOf = (text: string): number => (text.length <= PHONE_MAX ? text.length : [...text].length);
