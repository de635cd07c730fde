import type { DocumentData } from 'firebase-admin/firestore';
import { fromMemberDocument, toMemberDocument } from '../../src/adapters/firestore/member-document.ts';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import type { MemberMeta, StoredMember } from '../../src/domain/member/decide-change.ts';
import {
  formerWithdrawals,
  type PendingEdit,
  type Withdrawals,
} from '../../src/domain/member/kept-values.ts';
import type { Member } from '../../src/domain/member/member.ts';
import type { DocumentState, EventReceipt, SeenMember, StandingHint } from '../../src/portal/ports.ts';

/** One item of `sync_queue`, as far as the portal's stores read it. */
export interface QueuedEdit {
  readonly kennitala: Kennitala;
  readonly status: 'pending' | 'synced';
  readonly edits: readonly PendingEdit[];
}

/** One document of `webhook_hints`. */
export interface KeptHint extends StandingHint {
  readonly lastAt: Date;
  readonly isGivenUp: boolean;
}

/** The portal's collections in memory, for adapters that many histories are played on. */
export interface PortalMemory {
  readonly receipts: Map<string, EventReceipt>;
  readonly queue: QueuedEdit[];
  readonly hints: Map<Kennitala, KeptHint>;
  kennitalas(): Kennitala[];
  see(kennitala: Kennitala): SeenMember;
  pending(kennitala: Kennitala): PendingEdit[];
  /** What the person of this row of the registry withdrew under another number than this one. */
  former(kennitala: Kennitala, djangoId: number): Withdrawals;
  put(kennitala: Kennitala, member: Member, meta: MemberMeta, at: Date): void;
}

/** Members are kept as the documents that Firestore would hold, so that the mapping to and fro takes part. */
export const makePortalMemory = (): PortalMemory => {
  const documents = new Map<Kennitala, { data: DocumentData; state: string; at: Date }>();
  let writes = 0;
  const stored = (kennitala: Kennitala): StoredMember | null => {
    const document = documents.get(kennitala);
    return document === undefined ? null : fromMemberDocument(kennitala, document.data);
  };
  const state = (kennitala: Kennitala): DocumentState => documents.get(kennitala)?.state ?? null;
  const memory: PortalMemory = {
    receipts: new Map(),
    queue: [],
    hints: new Map(),
    kennitalas: () => [...documents.keys()].sort(),
    see: (kennitala) => ({
      stored: stored(kennitala),
      state: state(kennitala),
      writtenAt: documents.get(kennitala)?.at ?? null,
    }),
    pending: (kennitala) =>
      memory.queue
        .filter((item) => item.kennitala === kennitala && item.status === 'pending')
        .flatMap(({ edits }) => edits),
    former: (kennitala, djangoId) =>
      formerWithdrawals(
        memory.kennitalas().flatMap((other) => {
          const meta = stored(other)?.meta;
          if (other === kennitala || meta?.django_id !== djangoId) return [];
          const { withdrawn = {}, deleted_at: deletedAt } = meta;
          return [{ withdrawn, deletedAt, pending: memory.pending(other) }];
        }),
      ),
    put: (kennitala, member, meta, at) => {
      writes += 1;
      documents.set(kennitala, { data: toMemberDocument(member, meta, at), state: `write ${writes}`, at });
    },
  };
  return memory;
};
