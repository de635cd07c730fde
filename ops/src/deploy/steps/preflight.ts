import { z } from 'zod';
import { readBuildAccount } from '../build-account.ts';
import { type DeployContext, inProject } from '../context.ts';
import { FIREBASE_TOOLS } from '../deploy-with-firebase.ts';
import { emailOf } from '../iam-table.ts';
import { readJson } from '../read-json.ts';
import type { Step } from '../run-steps.ts';
import { CommandFailed } from '../shell.ts';

/** What the functions and a deployment use: `firebase deploy` would switch on what is off, with rights that few should have. */
export const APIS = [
  'artifactregistry.googleapis.com',
  'cloudbilling.googleapis.com',
  'cloudbuild.googleapis.com',
  'cloudfunctions.googleapis.com',
  'cloudresourcemanager.googleapis.com',
  'cloudscheduler.googleapis.com',
  'eventarc.googleapis.com',
  'firebase.googleapis.com',
  'firebaseextensions.googleapis.com',
  'firebasehosting.googleapis.com',
  'firebaserules.googleapis.com',
  'firebasestorage.googleapis.com',
  'firestore.googleapis.com',
  'iam.googleapis.com',
  'iamcredentials.googleapis.com',
  'identitytoolkit.googleapis.com',
  'pubsub.googleapis.com',
  'run.googleapis.com',
  'secretmanager.googleapis.com',
  'storage.googleapis.com',
] as const;
export const REGISTER_APIS = ['sqladmin.googleapis.com', 'sql-component.googleapis.com'] as const;

const FIREBASE_LIMIT_MS = 30_000;

const database = z.object({ type: z.string() });

/** Everything that can be known before the first change. All of it is looked at, so that one repair round is enough. */
export const preflight = (context: DeployContext): Step => ({
  name: 'preflight',
  remedy: 'Nothing was changed. Mend what is listed; docs/deploy.md has the commands.',
  run: async () => {
    // Not `auth list`, which knows no one where a pipeline gives an access token by a file. Alone, since every other check
    // would fail for the same reason.
    await context.shell.read('gcloud', ['auth', 'print-access-token']);
    const found = await Promise.all(checks(context).map(([name, check]) => look(name, check)));
    const faults = found.filter(({ fault }) => fault !== null);
    if (faults.length > 0) {
      throw new Error(faults.map(({ name, fault }) => `${name}: ${fault}`).join('\n    '));
    }
    return { state: 'checked', notes: found.map(({ name, note }) => `${name}: ${note}`) };
  },
});

/** Answers what was found, or throws why it is not right. */
type Check = () => Promise<string>;

const look = async (name: string, check: Check) => {
  try {
    return { name, note: await check(), fault: null };
  } catch (cause) {
    return { name, note: '', fault: cause instanceof Error ? cause.message : String(cause) };
  }
};

const checks = (context: DeployContext): [string, Check][] => {
  const { shell, functions, iam, settings } = context;
  const { project } = context.options;
  return [
    ['firebase', async () => `version ${await shell.read('firebase', ['--version'])}`],
    [
      'project',
      async () => {
        const number = await shell.read('gcloud', [
          'projects',
          'describe',
          project,
          '--format=value(projectNumber)',
        ]);
        if (!/^\d+$/.test(number)) throw new Error(`${project} has no number: ${number}`);
        return number;
      },
    ],
    ['Firebase', () => checkFirebase(context)],
    ['settings', async () => `the bucket is ${(await settings()).config.bucket}`],
    [
      'services',
      async () => {
        const args = ['services', 'list', '--enabled', ...inProject(context), '--format=value(config.name)'];
        const enabled = new Set((await shell.read('gcloud', args)).split('\n'));
        const { hasRegister } = await settings();
        const missing = [...APIS, ...(hasRegister ? REGISTER_APIS : [])].filter((api) => !enabled.has(api));
        if (missing.length > 0) {
          throw new Error(`not enabled: gcloud services enable ${missing.join(' ')} --project ${project}`);
        }
        return 'enabled';
      },
    ],
    [
      'firestore',
      async () => {
        const args = [
          'firestore',
          'databases',
          'describe',
          '--database=(default)',
          ...inProject(context),
          '--format=json',
        ];
        const answer = await shell.tryRead('gcloud', args);
        if (answer === null) throw new Error('there is no default database');
        const { type } = readJson(database, answer, 'the database');
        if (type !== 'FIRESTORE_NATIVE') throw new Error(`the database is ${type}, not FIRESTORE_NATIVE`);
        return 'there';
      },
    ],
    [
      'accounts',
      async () => {
        const args = ['iam', 'service-accounts', 'list', ...inProject(context), '--format=value(email)'];
        const present = new Set((await shell.read('gcloud', args)).split('\n'));
        const names = new Set(functions.map(({ name }) => name));
        const needed = iam.accounts.filter((account) => account.functions.some((name) => names.has(name)));
        const missing = needed
          .map(({ name }) => emailOf(name, project))
          .filter((email) => !present.has(email));
        if (missing.length > 0) {
          throw new Error(`missing ${missing.join(', ')}: npm run iam -- --project ${project} --apply`);
        }
        return `${needed.length} of docs/iam.md${runningAsDefault(context)}`;
      },
    ],
    ['builds', () => checkBuilds(context)],
  ];
};

/** Whoever may deploy may not see every role: then a build that fails tells. */
const checkBuilds = async ({ shell, options: { project } }: DeployContext): Promise<string> => {
  const account = await readBuildAccount(shell, project).catch((cause: unknown) => {
    if (cause instanceof CommandFailed && DENIED.test(cause.output)) return null;
    throw cause;
  });
  if (account === null) return 'not seen: the roles of the project, and so whether functions can be built';
  if (account.mayBuild === null) return `not known: what the own roles of ${account.email} allow`;
  if (!account.mayBuild) {
    throw new Error(`${account.email} may not build functions: npm run iam -- --project ${project} --apply`);
  }
  return `by ${account.email}`;
};

const DENIED = /PERMISSION_DENIED|does not have permission/i;

const firebaseProject = z.object({ storageBucket: z.string().optional() });

/** Firebase knows the project, and which bucket is its default one, whose rules are deployed. `gcloud` has no command for it. */
const checkFirebase = async ({ shell, options: { project } }: DeployContext): Promise<string> => {
  const token = await shell.read('gcloud', ['auth', 'print-access-token']);
  const origin = shell.env['FIREBASE_API_URL'] ?? 'https://firebase.googleapis.com';
  const answer = await fetch(`${origin}/v1beta1/projects/${project}/adminSdkConfig`, {
    headers: { authorization: `Bearer ${token}`, 'x-goog-user-project': project },
    signal: AbortSignal.timeout(FIREBASE_LIMIT_MS),
  });
  const text = await answer.text();
  if (answer.status === 404) {
    throw new Error(
      `${project} is no Firebase project: npx ${FIREBASE_TOOLS} projects:addfirebase ${project}`,
    );
  }
  if (!answer.ok) throw new Error(`Firebase answered ${answer.status}: may you see the project?`);
  const { storageBucket } = readJson(firebaseProject, text, "Firebase's answer");
  if (storageBucket === undefined) {
    throw new Error(
      `no default bucket, whose rules are deployed: https://console.firebase.google.com/project/${project}/storage, "Get started"`,
    );
  }
  return `knows the project; its default bucket is ${storageBucket}`;
};

/** The default account may do much more than docs/iam.md gives any of them. */
const runningAsDefault = ({ functions }: DeployContext): string => {
  const names = functions.filter(({ account }) => account === null).map(({ name }) => name);
  return names.length === 0 ? '' : `; but the project's default account runs ${names.join(', ')}`;
};
