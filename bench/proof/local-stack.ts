import { performance } from 'node:perf_hooks';
import { deleteApp, getApps } from 'firebase-admin/app';
import { makeMemberChanges } from '../../functions/src/adapters/django/member-changes.ts';
import {
  makeMemberPages,
  makeMemberReader,
  makeRegistryDigests,
} from '../../functions/src/adapters/django/read-members.ts';
import { makeHintStore } from '../../functions/src/adapters/firestore/hint-store.ts';
import {
  makePortalIndex,
  makePortalWriter,
} from '../../functions/src/adapters/firestore/portal-documents.ts';
import { makePortalDigests } from '../../functions/src/adapters/firestore/proof-store.ts';
import { makeRosterRefresh } from '../../functions/src/adapters/firestore/roster-refresh.ts';
import { runMirror } from '../../functions/src/mirror/run.ts';
import { makePortalMirror } from '../../functions/src/portal/reconcile/portal-mirror.ts';
import { lookAtStores } from '../../functions/src/proof/look.ts';
import { startFirestore } from '../../local/src/firestore/server.ts';
import { startRegistry } from '../../local/src/registry/start-registry.ts';
import { makeSigningKey } from '../../local/src/secrets.ts';
import { startStorage } from '../../local/src/storage/index.ts';
import { billed } from './model.ts';

const PROJECT = 'demo-ekklesia';
const TOKEN = 'token-of-the-benchmark';
/** What a network between the function and the stores would take, one way and back. */
const DELAY_MS = 5;

/** Real servers in this process, with a roster and a portal that are equal to the registry. */
export const measureLocalStack = async (members: number, rounds: number, folder: string) => {
  const firestore = await startFirestore({ projectId: PROJECT });
  const registry = await startRegistry({ members, port: 0, token: TOKEN });
  const storage = await startStorage({ directory: folder });
  const before = { ...process.env };
  const environment = {
    GCLOUD_PROJECT: PROJECT,
    SYNC_BUCKET: `${PROJECT}.appspot.com`,
    FUNCTIONS_EMULATOR: 'true',
    FIRESTORE_EMULATOR_HOST: `${firestore.host}:${firestore.port}`,
    STORAGE_EMULATOR_HOST: storage.url,
    METADATA_SERVER_DETECTION: 'none',
    DJANGO_BASE_URL: registry.url,
    DJANGO_API_TOKEN: TOKEN,
    MEMBER_REFERENCE_KEY: 'key of the benchmark',
    CHAIN_SIGNING_KEY: makeSigningKey(),
  };
  Object.assign(process.env, environment);
  try {
    const [{ runDependencies, shared }, { wiredRoster }] = await Promise.all([
      import('../../functions/src/wiring/shared.ts'),
      import('../../functions/src/wiring/roster.ts'),
    ]);
    const base = shared();
    const limits = { runLimitMs: 600_000, leaseMs: 600_000 };
    const quiet = { ...runDependencies(base, limits), log: () => undefined };
    const pages = makeMemberPages(base.registry, { baseUrl: registry.url });
    const reconcile = async (): Promise<number> => {
      const mirror = makePortalMirror({
        pages,
        registry: makeMemberReader(base.registry),
        index: makePortalIndex(base.firestore),
        writer: makePortalWriter(base.firestore, { throttling: false }),
        rosterRefresh: makeRosterRefresh(base.firestore),
        hints: makeHintStore(base.firestore),
        reference: base.reference,
        now: base.now,
      });
      const start = performance.now();
      const { record } = await runMirror(mirror, { trigger: 'local' }, quiet);
      if (record.status !== 'success') throw new Error(`The run ended ${record.outcome}: ${record.error}`);
      return performance.now() - start;
    };
    await runMirror(wiredRoster().roster, { trigger: 'local' }, quiet);
    await reconcile();
    firestore.setDelay(DELAY_MS);
    registry.addFault({ delay_ms: DELAY_MS });

    let reads = 0;
    const counted = makePortalDigests(base.firestore);
    const look = async () => {
      reads = 0;
      const start = performance.now();
      const found = await lookAtStores(
        {
          registry: makeRegistryDigests(base.registry, { baseUrl: registry.url }),
          events: makeMemberChanges(base.registry),
          portal: {
            ...counted,
            sums: async (from, until) => {
              const sums = await counted.sums(from, until);
              reads += billed(sums.count);
              return sums;
            },
            countActive: async () => {
              const active = await counted.countActive();
              reads += billed(active);
              return active;
            },
          },
          roster: wiredRoster().restore.store,
          register: null,
          now: base.now,
        },
        AbortSignal.timeout(600_000),
      );
      const milliseconds = performance.now() - start;
      const isEqual =
        typeof found !== 'string' &&
        Object.values(found.stores).every(({ state }) => state !== 'differs' && state !== 'unknown');
      if (!isEqual) throw new Error('The stores are not equal, so the time means nothing.');
      // The record of the last proof is read too.
      return { milliseconds, reads: reads + 1 };
    };
    const equal = [];
    const full = [];
    for (let round = 0; round < rounds; round += 1) {
      equal.push(await look());
      full.push({ milliseconds: await reconcile(), reads: members + 2 });
    }
    return { equal, full };
  } finally {
    await Promise.all(getApps().map((app) => deleteApp(app)));
    await Promise.all([firestore.close(), registry.close(), storage.close()]);
    // Google's clients would look for these servers in the next benchmark too.
    for (const name of Object.keys(environment)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
};
