import fc from 'fast-check';
import { type DocumentData, Timestamp } from 'firebase-admin/firestore';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeSigningKey } from '../../../local/src/secrets.ts';
import { makeOperatorActions } from '../../src/adapters/firestore/ops-runs.ts';
import { makeMirrorStates } from '../../src/adapters/firestore/ops-states.ts';
import { makeTwoWayLog } from '../../src/adapters/firestore/queue-store.ts';
import type { OperatorAction } from '../../src/ops/ports.ts';
import { chain, chainSecret } from '../support/chain.ts';
import { BUCKET } from '../support/servers.ts';
import { type RosterStack, startRosterStack } from '../support/stack.ts';
import { verifyStores } from '../support/verify.ts';

let stack: RosterStack;
beforeEach(async () => {
  stack = await startRosterStack();
});
afterEach(async () => {
  chainSecret['chain-signing-key'].splice(0, chainSecret['chain-signing-key'].length - 1);
  await stack.close();
});

const verify = () => verifyStores(stack, BUCKET, stack.clock.now);
const found = async () =>
  (await verify()).findings.map(({ kind, where, link }) =>
    [kind, where, ...(link === null ? [] : [`${link.stream} ${link.number}`])].join(' '),
  );
const doc = (path: string) => stack.db.doc(path);
const read = async (path: string): Promise<DocumentData> => (await doc(path).get()).data() ?? {};
const removeMember = () => stack.registry.deleteMember(stack.registry.randomMember());

const action = (what: OperatorAction['action'], reason: string): OperatorAction => ({
  action: what,
  by: 'uid-of-an-operator',
  byKind: 'person',
  at: stack.clock.now(),
  requestId: 'request',
  mirror: 'roster',
  reason,
});
const actions = () => makeOperatorActions(async () => stack.db, chain.current);
const states = () => makeMirrorStates(async () => stack.db, chain.current);

/** Two lists, a dry run, a pause and its end, a look, and a sweep: run-001 to run-004. */
const someDays = async (): Promise<string[]> => {
  await stack.run();
  removeMember();
  await stack.run({ trigger: 'http', dryRun: true });
  await stack.run();
  const pause = action('pause', 'the congress');
  await states().pause('roster', { reason: 'the congress', by: pause.by, at: pause.at }, pause);
  await stack.run();
  await states().resume('roster', action('resume', 'it is over'));
  await actions().record(action('view_changes', 'a question of the board'));
  const sweep = {
    id: 'sweep-1',
    trigger: 'schedule' as const,
    startedAt: stack.clock.now(),
    firestoreToDjango: { success: 0, failed: 0 },
    djangoToFirestore: { success: 0, failed: 0 },
    conflicts: 0,
    cleaned: 0,
    errorCode: null,
    error: null,
    requestedBy: null,
    expireAt: new Date(stack.clock.now().getTime() + 365 * 86_400_000),
  };
  const log = makeTwoWayLog(async () => stack.db, chain.current);
  await log.write({ ...sweep, status: 'running', completedAt: null });
  await log.write({ ...sweep, status: 'success', completedAt: stack.clock.now() });
  return (await stack.db.collection('operator_actions').orderBy('at').get()).docs.map(({ id }) => id);
};

describe('a record that nobody touched', () => {
  it('is whole, and every record stands in its chain', async () => {
    await someDays();
    const proof = await verify();
    expect(proof.findings).toEqual([]);
    expect(proof).toMatchObject({
      whole: true,
      records: 8,
      unchained: 0,
      versions: { checked: 2, unchained: 0 },
    });
    expect(proof.streams.map(({ stream, links }) => [stream, links])).toEqual([
      ['roster', 6],
      ['portal', 0],
      ['register', 0],
      ['aside', 2],
      ['operators', 3],
      ['sweeps', 2],
    ]);
  });

  it('is whole where links of before stand field by field, in a record that is still written too', async () => {
    const asObjects = async (id: string): Promise<void> => {
      const { chain: links } = await read(`sync_audit/${id}`);
      await doc(`sync_audit/${id}`).update({ chain: links.map((link: string) => JSON.parse(link)) });
    };
    await stack.run();
    await asObjects('run-001');
    removeMember();
    const held = stack.storage.holdNext(({ method }) => method === 'POST', 'before');
    const run = stack.run();
    await held.reached;
    await asObjects('run-002');
    held.release();
    await run;
    const kinds = (await read('sync_audit/run-002'))['chain'].map((link: unknown) => typeof link);
    expect(kinds).toEqual(['object', 'object', 'string']);
    expect((await verify()).findings).toEqual([]);
  });

  it('is whole when runs were killed, and when answers to their writes were lost', async () => {
    await stack.run();
    removeMember();
    for (const nth of [1, 2, 3]) {
      let commits = 0;
      const disarm = stack.firestore.failNext({
        code: 14,
        times: 1,
        when: 'after',
        matches: (_request, method) => {
          if (method === 'commit') commits += 1;
          return method === 'commit' && commits === nth;
        },
      });
      await stack.run().catch(() => undefined);
      disarm();
      stack.clock.advance(200_000);
    }
    await stack.run();
    expect(await found()).toEqual([]);
  });

  it('cost no run a request: one reading and three commits, as without a chain', async () => {
    await stack.run();
    removeMember();
    const asked: string[] = [];
    const disarm = stack.firestore.failNext({
      code: 14,
      times: 1,
      when: 'before',
      matches: (_request, method) => {
        asked.push(method);
        return false;
      },
    });
    await stack.run();
    disarm();
    expect(asked).toEqual(['batchGetDocuments', 'commit', 'commit', 'commit']);
    expect(await found()).toEqual([]);
  });

  it('is whole while many write at once', async () => {
    await Promise.all([
      stack.run(),
      stack.run(),
      stack.run({ trigger: 'http', dryRun: true }),
      ...Array.from({ length: 5 }, (_, n) => actions().record(action('view_changes', `look ${n}`))),
    ]);
    const proof = await verify();
    expect(proof.findings).toEqual([]);
    expect(proof.streams.find(({ stream }) => stream === 'operators')?.links).toBe(5);
  });

  it('is whole under a new key, as long as the old one is in force', async () => {
    await stack.run();
    chainSecret['chain-signing-key'].unshift(makeSigningKey());
    await stack.run();
    expect(await found()).toEqual([]);
    const [, old = ''] = chainSecret['chain-signing-key'];
    chainSecret['chain-signing-key'].splice(1, 1);
    const kinds = new Set((await verify()).findings.map(({ kind }) => kind));
    chainSecret['chain-signing-key'].push(old);
    expect(kinds).toContain('unproven');
    expect(kinds).not.toContain('missing');
  });
});

describe('a record that somebody rewrote', () => {
  const cases: [what: string, tamper: (ids: string[]) => Promise<unknown>, finding: RegExp][] = [
    [
      'alters a number',
      () => doc('sync_audit/run-003').update({ memberCount: 61 }),
      /^altered sync_audit\/run-003 roster 6$/,
    ],
    [
      'alters who asked',
      ([id]) => doc(`operator_actions/${id}`).update({ by: 'somebody' }),
      /^altered operator_actions\//,
    ],
    [
      'alters a reason',
      ([id]) => doc(`operator_actions/${id}`).update({ reason: 'another' }),
      /^altered operator_actions\//,
    ],
    [
      'calls a reason erased',
      ([id]) => doc(`operator_actions/${id}`).update({ reason: 'erased' }),
      /^altered operator_actions\//,
    ],
    [
      'moves a time',
      () => doc('sync_logs/sweep-1').update({ started_at: Timestamp.fromMillis(0) }),
      /^altered sync_logs\/sweep-1/,
    ],
    [
      'adds a field',
      () => doc('sync_audit/run-001').update({ approvedBy: 'the board' }),
      /^altered sync_audit\/run-001/,
    ],
    ['deletes a run', () => doc('sync_audit/run-001').delete(), /^missing sync_audit\/run-001 roster 3$/],
    [
      'deletes the last run',
      () => doc('sync_audit/run-003').delete(),
      /^missing sync_audit\/run-003 roster 6$/,
    ],
    [
      'deletes what an operator did',
      ([, id]) => doc(`operator_actions/${id}`).delete(),
      /^missing operator_actions\/\w+ operators 2$/,
    ],
    ['deletes a sweep', () => doc('sync_logs/sweep-1').delete(), /^missing sync_logs\/sweep-1 sweeps 2$/],
    [
      'changes two records for each other',
      async () => {
        const [one, other] = [await read('sync_audit/run-001'), await read('sync_audit/run-003')];
        await doc('sync_audit/run-001').set(other);
        await doc('sync_audit/run-003').set(one);
      },
      /^reordered sync_audit\/run-001 roster [456]$/,
    ],
    [
      'gives two records each other’s numbers',
      async () => {
        const [one, other] = [await read('sync_audit/run-001'), await read('sync_audit/run-003')];
        await doc('sync_audit/run-001').update({ chain: other['chain'] });
        await doc('sync_audit/run-003').update({ chain: one['chain'] });
      },
      /^reordered sync_audit\/run-003 roster [123]$/,
    ],
    [
      'copies a record under another name',
      async () => doc('sync_audit/run-009').set(await read('sync_audit/run-001')),
      /^inserted sync_audit\/run-009 roster [123]$/,
    ],
    [
      'makes up a record with links of its own key',
      async () => {
        const [id = ''] = await someDays();
        const links = (await read(`operator_actions/${id}`))['chain'];
        await doc('operator_actions/made-up').set({
          ...(await read(`operator_actions/${id}`)),
          chain: [JSON.stringify({ ...JSON.parse(links[0]), record: 'made-up' })],
        });
      },
      /^altered operator_actions\/made-up/,
    ],
    [
      'makes up a record without a link',
      async () => {
        const { chain: _, ...record } = await read('sync_audit/run-003');
        const timestamp = Timestamp.fromMillis(stack.clock.now().getTime() + 2 * 3_600_000);
        await doc('sync_audit/run-010').set({ ...record, runId: 'run-010', timestamp });
      },
      /^inserted sync_audit\/run-010$/,
    ],
    [
      'takes a record out of its chain',
      async () => {
        const { chain: _, ...record } = await read('sync_audit/run-001');
        await doc('sync_audit/run-001').set(record);
      },
      /^missing sync_audit\/run-001 roster 3$/,
    ],
    [
      'adds somebody to the lists of a run',
      () => doc('sync_audit/run-003/changes/0').update({ addedKennitalas: ['0101302989'] }),
      /^altered sync_audit\/run-003\/changes\/0$/,
    ],
    [
      'takes somebody from the lists of a run',
      () => doc('sync_audit/run-003/changes/0').update({ removedKennitalas: [], shortened: 'erased' }),
      /^altered sync_audit\/run-003\/changes\/0$/,
    ],
    [
      'deletes the lists of a run',
      () => doc('sync_audit/run-003/changes/0').delete(),
      /^missing sync_audit\/run-003\/changes\/0$/,
    ],
    [
      'adds a document of lists',
      async () => doc('sync_audit/run-003/changes/1').set(await read('sync_audit/run-003/changes/0')),
      /^inserted sync_audit\/run-003\/changes\/1$/,
    ],
    [
      'cuts the end of a chain off, with its head',
      async () => {
        const [{ chain: links }] = [await read('sync_audit/run-001')];
        await doc('sync_audit/run-003').delete();
        await doc('sync_state/roster').update({ chain: links.at(-1) });
      },
      /^missing sync_state\/roster roster 5$/,
    ],
    [
      'cuts the end of what operators did off, which the run that followed remembers',
      async ([first, ...rest]) => {
        await stack.run();
        const [head] = (await read(`operator_actions/${first}`))['chain'];
        for (const id of rest) await doc(`operator_actions/${id}`).delete();
        await doc('sync_state/operators').update({ chain: head });
      },
      /^missing sync_state\/operators operators 3$/,
    ],
    [
      'takes the head away',
      () => doc('sync_state/operators').delete(),
      /^missing sync_state\/operators operators 3$/,
    ],
    [
      'sets the head back',
      async () => doc('sync_state/roster').update({ chain: (await read('sync_audit/run-001'))['chain'][0] }),
      /^altered sync_state\/roster roster 1$/,
    ],
    [
      'puts another list in the bucket',
      async () =>
        stack.storageClient.bucket(BUCKET).file('kennitalas.txt').save('0101302989\n', { resumable: false }),
      /^inserted version \d+$/,
    ],
    [
      'puts another list in the bucket, under the name of the run before',
      async () => {
        const file = stack.storageClient.bucket(BUCKET).file('kennitalas.txt');
        const [{ metadata = {} }] = await file.getMetadata();
        await file.save('0101302989\n', { resumable: false, metadata: { metadata } });
      },
      /^altered version \d+$/,
    ],
    [
      'writes over the head that a version of the list remembers',
      async () =>
        stack.storageClient
          .bucket(BUCKET)
          .file('kennitalas.txt')
          .setMetadata({ metadata: { chainHead: 'no head' } }),
      /^altered version \d+$/,
    ],
    [
      'deletes a version of the list',
      async () => {
        const generation = (await read('sync_audit/run-001'))['objectGeneration'];
        await stack.storageClient.bucket(BUCKET).file('kennitalas.txt', { generation }).delete();
      },
      /^missing version \d+$/,
    ],
  ];
  it.each(cases)('%s: it is found', async (_what, tamper, finding) => {
    const ids = await someDays();
    await tamper(ids);
    const findings = await found();
    expect(findings).toContainEqual(expect.stringMatching(finding));
    expect((await verify()).whole).toBe(false);
  });
});

describe('records that expire', () => {
  const expire = async (days: number) => {
    stack.clock.advance(days * 86_400_000);
    await stack.run();
  };

  it('leave a signed checkpoint: what is gone after its time is no finding, and what goes before it is one', async () => {
    await someDays();
    await expire(200);
    const first = await read('sync_audit/run-001');
    const { docs } = await stack.db.collection('operator_actions').get();
    for (const { ref } of docs) await ref.delete();
    await doc('sync_audit/run-001').delete();
    expect(await found()).toEqual([
      'missing sync_audit/run-001 roster 3',
      expect.stringMatching(/operators 3$/),
    ]);
    await expire(170);
    expect(await found()).toEqual([]);
    const { streams } = await verify();
    expect(streams[0]?.first).toEqual({ number: 4, after: JSON.parse(first['chain'][2]).hash });
  });

  it('may be gone in any order, with their lists before them', async () => {
    await someDays();
    await expire(370);
    await doc('sync_audit/run-003').delete();
    await doc('sync_audit/run-001/changes/0').delete();
    expect(await found()).toEqual([]);
  });
});

it('any history of runs and looks is whole, and any one document of it that is altered or deleted is found', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('run', 'change', 'dry', 'look', 'pause', 'resume', 'twice'), {
        minLength: 3,
        maxLength: 10,
      }),
      fc.nat(),
      fc.constantFrom('alter', 'delete'),
      async (steps, at, how) => {
        await stack.firestore.clear();
        const [files] = await stack.storageClient.bucket(BUCKET).getFiles({ versions: true });
        await Promise.all(
          files.map(({ name, metadata }) =>
            stack.storageClient
              .bucket(BUCKET)
              .file(name, { generation: String(metadata.generation) })
              .delete(),
          ),
        );
        await stack.run();
        for (const step of steps) await take(step);
        expect((await verify()).findings).toEqual([]);
        const documents = [
          ...(await stack.db.collection('sync_audit').get()).docs,
          ...(await stack.db.collection('operator_actions').get()).docs,
        ];
        const chosen = documents[at % documents.length];
        if (how === 'delete') await chosen?.ref.delete();
        else await chosen?.ref.update({ mirror: 'another' });
        const findings = (await verify()).findings.filter(({ where }) => where.endsWith(chosen?.id ?? '-'));
        expect(findings).not.toEqual([]);
      },
    ),
    { numRuns: 8 },
  );
});

const take = async (step: string): Promise<unknown> => {
  switch (step) {
    case 'change':
      stack.registry.createMember();
      return stack.run();
    case 'dry':
      return stack.run({ trigger: 'http', dryRun: true });
    case 'look':
      return actions().record(action('view_changes', 'a look'));
    case 'pause':
      return states().pause('roster', { reason: 'x', by: 'y', at: stack.clock.now() }, action('pause', 'x'));
    case 'resume':
      return states().resume('roster', action('resume', 'x'));
    case 'twice':
      return Promise.all([stack.run(), stack.run()]);
    default:
      return stack.run();
  }
};
