import { expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { makeRegister } from '../../src/register/register.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { makeMemoryRegister } from '../support/memory/register.ts';

const [STAYS, HIDDEN, GONE] = makeKennitalas(3, 3_000) as [Kennitala, Kennitala, Kennitala];
const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 10, minute));
const wireOf = (kennitala: Kennitala, more = {}) => ({ ssn: kennitala, name: 'Generated Person', ...more });

/** What a run plans to remove, where `shown` are on the pages and `there` are in the registry. */
const removedBy = async (shown: readonly object[], there: readonly Kennitala[]) => {
  const register = makeMemoryRegister(() => undefined);
  const { store } = register.storesOf(
    async (_server, _what, effect) => effect(),
    () => true,
  );
  const run = async (members: readonly object[], startedAt: Date) => {
    const asked: Kennitala[] = [];
    const mirror = makeRegister(
      {
        pages: {
          async *pages() {
            yield { members, count: members.length };
          },
        },
        registry: {
          readMember: async (kennitala) => {
            asked.push(kennitala);
            return there.includes(kennitala) ? wireOf(kennitala) : null;
          },
        },
        store,
        referTo: () => 'm_0',
        subscribers: [],
        apiUrl: 'https://api.example.is',
        abandonedAfterMs: 1,
      },
      { syncType: 'membership', dryRun: false },
    );
    const context = {
      runId: 'run',
      startedAt,
      lastSuccess: null,
      unfinished: null,
      abandonedRunId: null,
      signal: new AbortController().signal,
    };
    const source = await mirror.fetch(context);
    const plan = await mirror.plan(source, context);
    await mirror.apply(plan, source, context);
    return { removed: [...plan.removed.slice(0)], asked };
  };
  await run(
    [STAYS, HIDDEN, GONE].map((kennitala) => wireOf(kennitala)),
    at(0),
  );
  return run(shown, at(30));
};

it('removes nobody whom counted pages have hidden and the registry has', async () => {
  expect(await removedBy([wireOf(STAYS)], [STAYS, HIDDEN])).toEqual({
    removed: [GONE],
    asked: [HIDDEN, GONE].sort(),
  });
});

it('asks for nobody where members carry versions, since no page can hide them', async () => {
  expect(await removedBy([wireOf(STAYS, { version: 9 })], [STAYS, HIDDEN])).toEqual({
    removed: [HIDDEN, GONE].sort(),
    asked: [],
  });
});
