import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DeployContext, inProject } from '../context.ts';
import { deployWithFirebase } from '../deploy-with-firebase.ts';
import {
  compareFirestore,
  compositeIndexes,
  type FirestoreState,
  type IndexesFile,
  indexesFile,
  ttlFields,
} from '../firestore-state.ts';
import { readJson } from '../read-json.ts';
import { ROOT } from '../root.ts';
import type { Step } from '../run-steps.ts';

/** Before the functions: a new collection is closed to clients before its first document is written. */
export const rules = (context: DeployContext): Step => ({
  name: 'rules',
  remedy:
    'The rules and functions are as before. A rule that does not compile is named with its line: npx vitest run functions/test/rules.',
  run: async () => {
    await deployWithFirebase(context, 'firestore:rules,storage');
    return { state: 'done' };
  },
});

/** Before the functions, whose queries need the indexes. */
export const indexes = (context: DeployContext): Step => ({
  name: 'indexes and TTL',
  remedy:
    'The functions are as before, and the rules are new. An index that is being built needs minutes to hours; the console shows how far it is. One in NEEDS_REPAIR is deleted there first.',
  run: async () => {
    const wanted = indexesFile.parse(
      JSON.parse(await readFile(join(ROOT, 'firestore.indexes.json'), 'utf8')),
    );
    await deployWithFirebase(context, 'firestore:indexes');
    if (context.options.dryRun) return { state: 'done', notes: toNotes(await readState(context, wanted)) };
    await untilBuilt(context, wanted);
    return { state: 'done', notes: [`${wanted.indexes.length} indexes are ready`] };
  },
});

const untilBuilt = async (context: DeployContext, wanted: IndexesFile): Promise<void> => {
  const { pollSeconds, waitMinutes } = context.options;
  const looks = Math.max(1, Math.ceil((waitMinutes * 60) / pollSeconds));
  for (let look = 1; ; look += 1) {
    const { faults, building } = await readState(context, wanted);
    // The list may lag behind what was deployed a moment ago, so one look does not decide.
    if (faults.length > 0 && (look > 1 || look === looks)) throw new Error(faults.join('; '));
    if (faults.length + building.length === 0) return;
    if (look === looks)
      throw new Error(`still being built after ${waitMinutes} minutes: ${building.join('; ')}`);
    if (look === 1) context.say(`    waiting for ${[...faults, ...building].join('; ')}`);
    await context.sleep(pollSeconds * 1_000);
  }
};

const readState = async (context: DeployContext, wanted: IndexesFile): Promise<FirestoreState> => {
  const list = (...what: string[]) =>
    context.shell.read('gcloud', [
      'firestore',
      ...what,
      'list',
      '--database=(default)',
      ...inProject(context),
      '--format=json',
    ]);
  const composite = await list('indexes', 'composite');
  const ttls = await list('fields', 'ttls');
  return compareFirestore(
    wanted,
    readJson(compositeIndexes, composite, 'the indexes'),
    readJson(ttlFields, ttls, 'the TTL policies'),
  );
};

const toNotes = ({ faults, building }: FirestoreState): string[] => [
  ...faults.map((fault) => `now ${fault}`),
  ...building.map((what) => `now being built: ${what}`),
];
