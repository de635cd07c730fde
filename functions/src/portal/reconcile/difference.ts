import { createHash } from 'node:crypto';
import type { Kennitala } from '../../domain/kennitala.ts';
import type { Withdrawals } from '../../domain/member/kept-values.ts';
import { sourceHash } from '../../domain/member/patch.ts';
import type { DocumentState, MemberToDecide, MemberWrite } from '../ports.ts';
import type { MemberVerdict } from './decide-member.ts';

export type DifferenceKind = 'create' | 'revive' | 'update' | 'remove';

/** One member whose document has to be written. About 150 bytes: a first load of 100,000 has as many. */
export interface Difference {
  readonly kennitala: Kennitala;
  readonly kind: DifferenceKind;
  /** Of what is to be written, so that a second reading of the registry can tell whether it is still that. */
  readonly digest: string;
  /** What the document was when it was compared. */
  readonly ifState: DocumentState;
  /** The registry made a change of which the portal had not heard. */
  readonly isMissed: boolean;
  /** What the person withdrew under another number; there only where they did. */
  readonly former?: Withdrawals;
}

export interface PlannedWrite extends MemberWrite {
  readonly difference: Difference;
}

type Write = Extract<MemberVerdict, { readonly member: unknown }>;

export const toPlannedWrite = (
  kennitala: Kennitala,
  verdict: Write,
  { state: ifState, former }: Pick<MemberToDecide, 'state' | 'former'>,
): PlannedWrite => {
  const { kind, member, meta, isMissed } = verdict;
  const digest = createHash('sha256')
    .update(
      JSON.stringify([
        sourceHash(member),
        meta.source_hash,
        meta.source_version,
        meta.django_id,
        meta.digest,
      ]),
    )
    .digest('base64url');
  return {
    kennitala,
    member,
    meta,
    ifState,
    difference: { kennitala, kind, digest, ifState, isMissed, ...(former && { former }) },
  };
};
