import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readSettings } from '../../src/deploy/settings.ts';
import { ENV_FILE, PROJECT } from './ready-project.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settings-'));
});
afterEach(() => rm(folder, { recursive: true, maxRetries: 5 }));

const read = async (text: string, name = `.env.${PROJECT}`) => {
  await writeFile(join(folder, name), text);
  return readSettings(folder, PROJECT);
};

it('a file made of .env.example is taken', async () => {
  const { config, hasRegister, secrets } = await read(ENV_FILE);
  expect(config.bucket).toBe('demo-deploy-lists');
  expect(hasRegister).toBe(false);
  expect(secrets).toEqual([
    'django-api-token',
    'django-webhook-secret',
    'member-reference-key',
    'chain-signing-key',
  ]);
});

it.each([
  [
    'a name that no setting has',
    (text: string) => `${text}GUARD_REMOVED_PERCENTS=50\n`,
    'no setting: GUARD_REMOVED_PERCENTS',
  ],
  ['an emulator', (text: string) => `${text}FUNCTIONS_EMULATOR=true\n`, 'no setting: FUNCTIONS_EMULATOR'],
  ['a secret', (text: string) => `${text}DJANGO_API_TOKEN=x\n`, 'no setting: DJANGO_API_TOKEN'],
  [
    'a setting that is missing, although it has a default',
    (text: string) => text.replace(/^GUARD_REMOVED_MAX=.*$/m, ''),
    'does not name GUARD_REMOVED_MAX',
  ],
  ['no bucket', (text: string) => text.replace(/^SYNC_BUCKET=demo.*$/m, ''), 'names no bucket'],
])('a file with %s is refused', async (_what, change, word) => {
  await expect(read(change(ENV_FILE))).rejects.toThrow(word);
});

it('a second file that firebase would deploy as well is refused', async () => {
  await read(ENV_FILE);
  await expect(read('A=b\n', '.env')).rejects.toThrow('is deployed as well');
});
