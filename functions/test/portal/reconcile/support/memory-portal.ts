import type { Kennitala } from '../../../../src/domain/kennitala.ts';
import type { StoredMember } from '../../../../src/domain/member/decide-change.ts';
import { formerWithdrawals, type PendingEdit } from '../../../../src/domain/member/kept-values.ts';
import type { PortalIndex, PortalWriter } from '../../../../src/portal/ports.ts';

export interface HeldDocument extends StoredMember {
  readonly pending: readonly PendingEdit[];
}

/** A portal in memory, fast enough for thousands of histories; the adapters are tested over the real client. */
export const makeMemoryPortal = (documents: ReadonlyMap<Kennitala, HeldDocument>) => {
  const held = new Map([...documents].map(([kennitala, document]) => [kennitala, { document, state: '0' }]));
  let writes = 0;
  const index: PortalIndex = {
    documents: async function* () {
      for (const [kennitala, { document, state }] of [...held].sort(([a], [b]) => (a < b ? -1 : 1))) {
        yield { kennitala, stored: document, state };
      }
    },
    read: async (kennitalas) =>
      new Map(
        kennitalas.map((kennitala) => {
          const entry = held.get(kennitala);
          return [
            kennitala,
            {
              stored: entry?.document ?? null,
              state: entry?.state ?? null,
              writtenAt: entry === undefined ? null : new Date(0),
              pending: entry?.document.pending ?? [],
            },
          ];
        }),
      ),
    former: async (members) =>
      new Map(
        members.map(({ kennitala, djangoId }) => {
          const others = [...held].filter(
            ([other, { document }]) => other !== kennitala && document.meta.django_id === djangoId,
          );
          const documents = others.map(
            ([
              ,
              {
                document: { meta, pending },
              },
            ]) => ({
              withdrawn: meta.withdrawn ?? {},
              deletedAt: meta.deleted_at,
              pending,
            }),
          );
          const own = held.get(kennitala)?.document.meta;
          return [
            kennitala,
            formerWithdrawals(documents, own?.django_id === djangoId ? own.deleted_at : null),
          ];
        }),
      ),
  };
  const writer: PortalWriter = {
    write: async (all, { onSettled }) => {
      for await (const write of all) {
        const entry = held.get(write.kennitala);
        if ((entry?.state ?? null) !== write.ifState) {
          onSettled(write, 'overtaken');
          continue;
        }
        writes += 1;
        const document = { member: write.member, meta: write.meta, pending: entry?.document.pending ?? [] };
        held.set(write.kennitala, { document, state: String(writes) });
        onSettled(write, 'written');
      }
    },
  };
  return {
    index,
    writer,
    writes: () => writes,
    documents: () => new Map([...held].map(([kennitala, { document }]) => [kennitala, document])),
  };
};
