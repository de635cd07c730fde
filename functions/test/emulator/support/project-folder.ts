import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFreePorts } from './free-ports.ts';

export interface ProjectFolder {
  readonly path: string;
  readonly functionsPort: number;
  readonly authPort: number;
  remove(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/**
 * A copy of the project as firebase-tools sees it, outside the tree: its own `firebase.json` with free ports, the
 * repository's `.firebaserc`, and `functions/` with the built code and `settings` as its `.env`. So neither the
 * emulator's logs nor the settings are left in the repository, and a developer's `.env` files are not read.
 */
export const makeProjectFolder = async (
  settings: Readonly<Record<string, string>>,
): Promise<ProjectFolder> => {
  const path = await mkdtemp(join(tmpdir(), 'firebase-project-'));
  const functions = join(path, 'functions');
  await mkdir(functions);
  await copyFile(join(ROOT, '.firebaserc'), join(path, '.firebaserc'));
  await copyFile(join(ROOT, 'functions/package.json'), join(functions, 'package.json'));
  await symlink(join(ROOT, 'functions/lib'), join(functions, 'lib'));
  await symlink(join(ROOT, 'node_modules'), join(functions, 'node_modules'));
  await writeFile(
    join(functions, '.env'),
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const [functionsPort = 0, authPort = 0, ...others] = await findFreePorts(6);
  await writeFile(
    join(path, 'firebase.json'),
    JSON.stringify(await withPorts(functionsPort, authPort, others)),
  );
  return { path, functionsPort, authPort, remove: () => rm(path, { recursive: true, force: true }) };
};

/** The repository's functions section, unchanged, with an emulator section that uses no fixed port. */
const withPorts = async (functionsPort: number, authPort: number, others: number[]): Promise<object> => {
  const { functions } = JSON.parse(await readFile(join(ROOT, 'firebase.json'), 'utf8'));
  const on = (port: number | undefined) => ({ host: '127.0.0.1', port });
  const [hub, logging, eventarc, tasks] = others;
  return {
    functions,
    emulators: {
      functions: on(functionsPort),
      auth: on(authPort),
      hub: on(hub),
      logging: on(logging),
      eventarc: on(eventarc),
      tasks: on(tasks),
      ui: { enabled: false },
      singleProjectMode: true,
    },
  };
};
