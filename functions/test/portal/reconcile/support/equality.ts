import { status } from '@grpc/grpc-js';
import { expect } from 'vitest';
import { fromMemberDocument } from '../../../../src/adapters/firestore/member-document.ts';
import { isPlaceholder, type Kennitala } from '../../../../src/domain/kennitala.ts';
import {
  type ParsedMember,
  parseRegistryMember,
} from '../../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, sourceHash } from '../../../../src/domain/member/patch.ts';
import type { ReconcileStack } from '../../../support/stack.ts';

interface WriteRequest {
  readonly writes?: readonly { readonly update?: { readonly name?: string }; readonly delete?: string }[];
}

/** Counts from now on, at the server, the writes that clients ask for in `members`. */
export const countMemberWrites = ({ firestore }: Pick<ReconcileStack, 'firestore'>) => {
  let count = 0;
  firestore.failNext({
    code: status.INTERNAL,
    matches: (request, method) => {
      if (method !== 'commit' && method !== 'batchWrite') return false;
      for (const write of (request as WriteRequest).writes ?? []) {
        if (/\/documents\/members\//.test(write.update?.name ?? write.delete ?? '')) count += 1;
      }
      return false;
    },
  });
  return () => count;
};

/** What the registry says now, by its own pages. */
export const registryMembers = async ({ portal }: Pick<ReconcileStack, 'portal'>) => {
  const said = new Map<Kennitala, ParsedMember>();
  for await (const { members } of portal.pages.pages({ signal: new AbortController().signal })) {
    for (const json of members) {
      const parsed = parseRegistryMember(json);
      if (!isPlaceholder(parsed.kennitala)) said.set(parsed.kennitala, parsed);
    }
  }
  return said;
};

/** The portal shows exactly the registry's members, each with the registry's content, version and sound metadata. */
export const expectEqual = async (stack: ReconcileStack): Promise<void> => {
  const said = await registryMembers(stack);
  const active = new Map<string, unknown>();
  for (const [id, data] of await stack.portalDocuments()) {
    const { member, meta } = fromMemberDocument(id as Kennitala, data);
    if (member.membership.status !== 'active') {
      expect(meta.deleted_at).not.toBeNull();
      continue;
    }
    active.set(id, {
      hash: sourceHash(member),
      source_hash: meta.source_hash,
      version: meta.source_version,
      django_id: meta.django_id,
      deleted_at: meta.deleted_at,
    });
  }
  const wanted = new Map(
    [...said].map(([kennitala, member]) => {
      const hash = sourceHash(applyPatch(null, member));
      const { version, djangoId: django_id } = member;
      return [kennitala, { hash, source_hash: hash, version, django_id, deleted_at: null }];
    }),
  );
  expect(new Map([...active].sort())).toEqual(new Map([...wanted].sort()));
};
