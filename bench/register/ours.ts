import { performance } from 'node:perf_hooks';
import type { Database, Transaction } from '../../functions/src/adapters/postgres/database.ts';
import { makeDatabase } from '../../functions/src/adapters/postgres/make-database.ts';
import { makeRegisterStore } from '../../functions/src/adapters/postgres/register-store.ts';
import { makeRegister } from '../../functions/src/register/register.ts';
import type { Contender } from './reference.ts';

const PAGE = 500;

/** The register's part of a run as production makes it: pages, plan, apply or confirm. */
export const ours = (url: string): Contender => {
  const counted = makeCountedDatabase(makeDatabase({ target: { kind: 'url', url } }));
  const store = makeRegisterStore(counted.database);
  return {
    open: () => store.assertSchema(),
    sync: async (members) => {
      const register = makeRegister(
        {
          pages: {
            pages: async function* () {
              for (let from = 0; from < members.length; from += PAGE) {
                yield { members: members.slice(from, from + PAGE), count: members.length };
              }
            },
          },
          store,
          referTo: () => 'm_0',
          subscribers: [],
          apiUrl: 'https://api.example.is',
          abandonedAfterMs: 60_000,
        },
        { syncType: 'manual', dryRun: false },
      );
      const context = {
        runId: `bench-${process.pid}-${Date.now()}`,
        startedAt: new Date(),
        lastSuccess: null,
        unfinished: null,
        abandonedRunId: null,
        signal: new AbortController().signal,
      };
      const source = await register.fetch(context);
      counted.reset();
      const started = performance.now();
      const plan = await register.plan(source, context);
      const { added, removed, updated } = plan.changes;
      await (added + removed + updated > 0
        ? register.apply(plan, source, context)
        : register.confirm(plan, source, context));
      await register.close?.();
      return { ...counted.read(), syncMs: performance.now() - started };
    },
    close: counted.database.close,
  };
};

/** Counts statements, and the time that the database took to answer them. */
const makeCountedDatabase = (database: Database) => {
  let statements = 0;
  let databaseMs = 0;
  const timed = async <T>(work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    try {
      return await work();
    } finally {
      statements += 1;
      databaseMs += performance.now() - started;
    }
  };
  const wrap = (transaction: Transaction): Transaction => ({
    query: (text, values) => timed(() => transaction.query(text, values)),
    commit: () => timed(() => transaction.commit()),
    rollback: transaction.rollback,
  });
  const counting: Database = {
    begin: async (limits) => wrap(await timed(() => database.begin(limits))),
    transaction: database.transaction,
    read: database.read,
    close: database.close,
  };
  return {
    database: counting,
    reset: () => {
      statements = 0;
      databaseMs = 0;
    },
    read: () => ({ statements, databaseMs }),
  };
};
