import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { keepPendingEdits } from '../../../src/domain/member/kept-values.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, sourceHash } from '../../../src/domain/member/patch.ts';
import { makePortalMirror } from '../../../src/portal/reconcile/portal-mirror.ts';
import { anyWireMember } from '../../domain/member/support/wire-members.ts';
import { makeKennitalas } from '../../support/kennitalas.ts';
import { bucketsThatDiffer, withDigest } from '../../support/sums.ts';
import { type HeldDocument, makeMemoryPortal } from './support/memory-portal.ts';

const NOW = new Date('2026-11-20T04:00:00Z');
const PEOPLE = makeKennitalas(8);

/** Versions are small, so that the portal's is often the same as the registry's, or a newer one. */
const anyRow = fc.record({ wire: anyWireMember, version: fc.option(fc.integer({ min: 0, max: 4 })) });

const anyDocument = fc.record({
  wire: anyWireMember,
  /** True: the content is the registry's where the registry has the member. */
  isSame: fc.boolean(),
  isActive: fc.boolean(),
  version: fc.option(fc.integer({ min: 0, max: 4 })),
  /** True: the metadata fit the content. */
  isSound: fc.boolean(),
  djangoId: fc.option(fc.nat({ max: 20 })),
  editedEmail: fc.option(fc.constantFrom('mine@postur.example', ''), { freq: 4 }),
});

const anyWorld = fc.record({
  registry: fc.array(fc.option(anyRow), { minLength: PEOPLE.length, maxLength: PEOPLE.length }),
  portal: fc.array(fc.option(anyDocument), { minLength: PEOPLE.length, maxLength: PEOPLE.length }),
  pageSize: fc.integer({ min: 1, max: 4 }),
  keptWrites: fc.constantFrom(0, 2, 100),
});
type World = typeof anyWorld extends fc.Arbitrary<infer T> ? T : never;

const registryOf = ({ registry }: World) =>
  registry.flatMap((row, n) => {
    if (row === null) return [];
    const { version: _, ...wire } = row.wire;
    const versioned = row.version === null ? wire : { ...wire, version: row.version };
    return [withDigest({ ...versioned, id: n + 1, ssn: PEOPLE[n] })];
  });

const portalOf = ({ portal, registry }: World): Map<Kennitala, HeldDocument> =>
  new Map(
    PEOPLE.flatMap((kennitala, n): [Kennitala, HeldDocument][] => {
      const given = portal[n] ?? null;
      if (given === null) return [];
      const wire = given.isSame ? (registry[n]?.wire ?? given.wire) : given.wire;
      const said = applyPatch(null, parseRegistryMember({ ...wire, ssn: kennitala }));
      const edit = given.editedEmail;
      const pending = edit === null ? [] : [{ path: 'profile.email', editedAt: NOW, value: edit }];
      const { member } = keepPendingEdits(said, pending, null);
      const status = given.isActive ? ('active' as const) : ('inactive' as const);
      const meta = {
        django_id: given.djangoId,
        source_version: given.version,
        source_hash: given.isSound ? sourceHash(said) : null,
        deleted_at: given.isActive === given.isSound ? null : NOW,
      };
      return [
        [kennitala, { member: { ...member, membership: { ...member.membership, status } }, meta, pending }],
      ];
    }),
  );

/** One whole run of the mirror, without the record and the guard. */
const reconcile = async (world: World, portal: ReturnType<typeof makeMemoryPortal>) => {
  const rows = registryOf(world);
  const mirror = makePortalMirror({
    pages: {
      pages: async function* () {
        for (let from = 0; from < rows.length; from += world.pageSize) {
          yield { members: rows.slice(from, from + world.pageSize), count: rows.length };
        }
      },
    },
    registry: { readMember: async (kennitala) => rows.find(({ ssn }) => ssn === kennitala) ?? null },
    index: portal.index,
    writer: portal.writer,
    rosterRefresh: { request: async () => undefined },
    hints: { forgetBefore: async () => 0 },
    reference: async () => 'm_0',
    now: () => NOW,
    keptWrites: world.keptWrites,
  });
  const context = {
    runId: 'run',
    startedAt: NOW,
    lastSuccess: null,
    unfinished: null,
    abandonedRunId: null,
    signal: new AbortController().signal,
  };
  const source = await mirror.fetch(context);
  const plan = await mirror.plan(source, context);
  await mirror.apply(plan, source, context);
  return { plan, source };
};

describe('one reconcile, whatever the registry and the portal hold', () => {
  it('makes the portal equal, and a second one has nothing to write', async () => {
    await fc.assert(
      fc.asyncProperty(anyWorld, async (world) => {
        fc.pre(world.registry.some((row) => row !== null));
        const before = portalOf(world);
        const portal = makeMemoryPortal(before);
        const { plan } = await reconcile(world, portal);
        expect(portal.writes()).toBe(plan.differences.length);

        const shown = portal.documents();
        const said = new Map(registryOf(world).map((row) => [row.ssn, parseRegistryMember(row)]));
        for (const kennitala of PEOPLE) {
          const member = said.get(kennitala);
          const document = shown.get(kennitala);
          if (member === undefined) {
            expect(document?.member.membership.status ?? 'inactive').toBe('inactive');
            continue;
          }
          const old = before.get(kennitala);
          const isAhead = (old?.meta.source_version ?? -1) > (member.version ?? Number.POSITIVE_INFINITY);
          if (isAhead) {
            expect(document).toEqual(old);
            continue;
          }
          // Version 0 is no event: of a document without a version it makes no other.
          const version = old?.meta.source_version === null && member.version === 0 ? null : member.version;
          const wanted = applyPatch(old?.member ?? null, member);
          const kept = keepPendingEdits(wanted, old?.pending ?? [], null).member;
          expect(document && sourceHash(document.member)).toBe(sourceHash(kept));
          expect(document?.meta).toMatchObject({
            source_hash: sourceHash(wanted),
            source_version: version ?? old?.meta.source_version ?? null,
            django_id: member.djangoId,
            deleted_at: null,
          });
        }

        // The proof that follows: whom the portal holds in a later version is nobody's business here.
        const isJudged = (kennitala: Kennitala) => {
          const version = said.get(kennitala)?.version ?? Number.POSITIVE_INFINITY;
          return (before.get(kennitala)?.meta.source_version ?? -1) <= version;
        };
        const rows = registryOf(world).flatMap(({ ssn, digest }) =>
          ssn !== undefined && isJudged(ssn) ? [{ kennitala: ssn, digest }] : [],
        );
        const held = [...shown].filter(
          ([kennitala, { member }]) => member.membership.status === 'active' && isJudged(kennitala),
        );
        expect(
          bucketsThatDiffer(
            rows,
            held.map(([kennitala, { meta }]) => [kennitala, meta.digest] as const),
          ),
        ).toEqual([]);

        const written = portal.writes();
        const second = await reconcile(world, portal);
        expect([...second.plan.differences]).toEqual([]);
        expect(portal.writes()).toBe(written);
      }),
      { numRuns: 200 },
    );
  });

  it('plans the same for pages of any size and order, and something else when anybody moved', async () => {
    await fc.assert(
      fc.asyncProperty(anyWorld, fc.integer({ min: 1, max: 4 }), async (world, pageSize) => {
        fc.pre(world.registry.some((row) => row !== null));
        const plan = async (given: World) =>
          (await reconcile(given, makeMemoryPortal(portalOf(given)))).plan.planId;
        const first = await plan(world);
        expect(await plan({ ...world, pageSize })).toBe(first);
        const moved = world.registry.map((row) => row && { ...row, wire: { ...row.wire, name: 'Moved' } });
        const isMoved = world.registry.some((row) => row !== null && row.wire.name !== 'Moved');
        expect((await plan({ ...world, registry: moved })) === first).toBe(!isMoved);
      }),
      { numRuns: 100 },
    );
  });
});
