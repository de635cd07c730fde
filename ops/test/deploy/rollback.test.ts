import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readDeployedFunctions, serviceOf } from '../../src/deploy/deployed-functions.ts';
import { planRollback, type Revision } from '../../src/deploy/plan-rollback.ts';
import { rollBack } from '../../src/deploy/roll-back.ts';
import { makeShell } from '../../src/deploy/shell.ts';
import { failure, listed } from './gcloud-prints.ts';
import { PROJECT } from './ready-project.ts';
import { makeStandIns, type StandIns } from './stand-in-commands.ts';

const revision = (name: string, createdAt: string, isReady = true): Revision => ({
  name,
  createdAt: new Date(createdAt),
  isReady,
});

describe('where a function goes', () => {
  const before = new Date('2026-11-20T11:00Z');
  const one = revision('r1', '2026-11-01T10:00Z');
  const two = revision('r2', '2026-11-10T10:00Z');
  const broken = revision('r3', '2026-11-19T10:00Z', false);
  const last = revision('r4', '2026-11-20T11:30Z');
  const again = revision('r5', '2026-11-20T11:40Z');
  it.each([
    ['to the newest older one that works', [one, two, broken, last], 'r4', { kind: 'move', to: 'r2' }],
    [
      'over all revisions of a repeated deployment',
      [one, two, last, again],
      'r5',
      { kind: 'move', to: 'r2' },
    ],
    ['from a split between two', [one, two, last], null, { kind: 'move', to: 'r2' }],
    ['nowhere when it is there already', [one, two, last], 'r2', { kind: 'there', to: 'r2' }],
    ['nowhere when the last deployment left it alone', [one, two], 'r2', { kind: 'untouched' }],
    ['nowhere when there is nothing older', [last], 'r4', { kind: 'new' }],
    ['nowhere when nothing older works', [broken, last], 'r4', { kind: 'new' }],
  ])('%s', (_title, revisions, serving, expected) => {
    expect(planRollback([{ function: 'f', serving, revisions }], before)).toEqual([
      { function: 'f', ...expected },
    ]);
  });
});

describe('rollback-deploy', () => {
  let standIns: StandIns;
  beforeEach(async () => {
    standIns = await makeStandIns(['gcloud', 'firebase']);
    await serve('00002-new');
  });
  afterEach(() => standIns.remove());

  /** The last deployment made `00002-new` of every function; those that are given are not there. */
  const serve = async (serving: string, ...without: readonly string[]) => {
    const services = (await readDeployedFunctions())
      .map(({ name }) => serviceOf(name))
      .filter((service) => !without.includes(service));
    const revisions = [
      ['00002-new', '2026-11-20T11:30:00.123456Z'],
      ['00001-old', '2026-11-13T09:00:00Z'],
    ];
    await standIns.answer(
      {
        to: 'run services list ',
        print: JSON.stringify(
          services.map((name) =>
            listed('services', {
              metadata: { name },
              status: { traffic: [{ revisionName: `${name}-${serving}`, percent: 100 }] },
            }),
          ),
        ),
      },
      {
        to: 'run revisions list ',
        print: JSON.stringify(
          services.flatMap((service) =>
            revisions.map(([name, creationTimestamp]) =>
              listed('revisions', {
                metadata: {
                  name: `${service}-${name}`,
                  creationTimestamp,
                  labels: { 'serving.knative.dev/service': service },
                },
              }),
            ),
          ),
        ),
      },
    );
  };

  const run = async (dryRun = false) => {
    const lines: string[] = [];
    const say = (line: string) => void lines.push(line);
    const moves = await rollBack({
      options: { project: PROJECT, before: null },
      shell: makeShell({ dryRun, env: standIns.env, say }),
      functions: await readDeployedFunctions(),
      say,
    });
    return { moves, said: lines.join('\n'), calls: await standIns.calls() };
  };
  const changesIn = (calls: readonly string[]) => calls.filter((call) => call.includes('update-traffic'));

  it('moves each function to the revision before, after all of them have been read', async () => {
    const { calls } = await run();

    const functions = await readDeployedFunctions();
    expect(changesIn(calls)).toEqual(
      functions.map(
        ({ name }) =>
          `gcloud run services update-traffic ${serviceOf(name)} --to-revisions=${serviceOf(name)}-00001-old=100 --region=europe-west2 --project=${PROJECT}`,
      ),
    );
    expect(calls.findIndex((call) => call.includes('update-traffic'))).toBe(2);
  });

  it('goes back once when it is given twice', async () => {
    await run();
    await serve('00001-old');
    await standIns.forget();

    const { calls, moves } = await run();

    expect(changesIn(calls)).toEqual([]);
    expect(moves.every(({ kind }) => kind === 'there')).toBe(true);
  });

  it('changes nothing in a dry run', async () => {
    const { calls, said } = await run(true);
    expect(changesIn(calls)).toEqual([]);
    expect(said).toContain('syncfromdjango-00001-old');
  });

  it('changes nothing when the revisions cannot be read', async () => {
    await standIns.answer({ to: 'run revisions list ', ...failure('deniedRevisions') });
    await expect(run()).rejects.toThrow('does not have permission');
    expect(changesIn(await standIns.calls())).toEqual([]);
  });

  it('stops at the first service that does not go back', async () => {
    await standIns.answer({ to: 'update-traffic', ...failure('deniedTraffic') });
    await expect(run()).rejects.toThrow('update-traffic');
    expect(changesIn(await standIns.calls())).toHaveLength(1);
  });

  it('leaves a function that was never deployed', async () => {
    await serve('00002-new', 'syncfromdjango');
    const { moves } = await run();
    expect(moves).toContainEqual({ kind: 'untouched', function: 'syncFromDjango' });
  });
});
