import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFreePorts } from './free-ports.ts';

export interface ProjectFolder {
  readonly path: string;
  readonly ports: { readonly functions: number; readonly auth: number; readonly firestore: number };
  /** What a developer would have in `functions/.env.local`, which the emulators read and no deployment does. */
  setLocalEnv(values: Readonly<Record<string, string>>): Promise<void>;
  remove(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** What the emulators read of the repository, besides the functions. */
const COPIED = [
  '.firebaserc',
  'firestore.rules',
  'firestore.indexes.json',
  'functions/package.json',
  'functions/.env.demo-ekklesia',
];

/**
 * A copy of the project as firebase-tools sees it, outside the tree: the repository's own files, the built code, and
 * `firebase.json` with free ports. So neither the emulators' logs nor the settings are left in the repository, and a
 * developer's `.env` files are not read.
 */
export const makeProjectFolder = async (): Promise<ProjectFolder> => {
  const path = await mkdtemp(join(tmpdir(), 'firebase-project-'));
  const functions = join(path, 'functions');
  await mkdir(functions);
  await Promise.all(COPIED.map((file) => copyFile(join(ROOT, file), join(path, file))));
  await symlink(join(ROOT, 'functions/lib'), join(functions, 'lib'));
  await symlink(join(ROOT, 'node_modules'), join(functions, 'node_modules'));
  const [functionsPort = 0, auth = 0, firestore = 0, ...others] = await findFreePorts(8);
  const ports = { functions: functionsPort, auth, firestore };
  await writeFile(join(path, 'firebase.json'), JSON.stringify(await withPorts(ports, others)));
  return {
    path,
    ports,
    setLocalEnv: (values) =>
      writeFile(
        join(functions, '.env.local'),
        Object.entries(values)
          .map(([name, value]) => `${name}=${value}\n`)
          .join(''),
      ),
    remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }),
  };
};

/** The repository's sections, unchanged but for the build before it, with an emulator section that uses no fixed port. */
const withPorts = async (ports: ProjectFolder['ports'], others: readonly number[]): Promise<object> => {
  const { functions, firestore } = JSON.parse(await readFile(join(ROOT, 'firebase.json'), 'utf8'));
  const on = (port: number | undefined) => ({ host: '127.0.0.1', port });
  const [hub, logging, eventarc, tasks, websocketPort] = others;
  return {
    functions,
    firestore,
    emulators: {
      functions: on(ports.functions),
      auth: on(ports.auth),
      firestore: { ...on(ports.firestore), websocketPort },
      hub: on(hub),
      logging: on(logging),
      eventarc: on(eventarc),
      tasks: on(tasks),
      ui: { enabled: false },
      singleProjectMode: true,
    },
  };
};
