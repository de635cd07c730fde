import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Storage } from '@google-cloud/storage';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StoreStep } from '../../src/storage/index.ts';
import { makeClient, textOf } from './conformance/target.ts';
import { makeScratch, type Scratch } from './scratch.ts';

let scratch: Scratch;
beforeEach(async () => {
  scratch = await makeScratch();
});
afterEach(() => scratch.clean());

const plainFile = (name: string) => readFile(path.join(scratch.directory, 'members', name), 'utf8');
const versionFiles = (folder: string) => readdir(path.join(scratch.directory, '.versions/members', folder));

test('objects, versions, metadata and bucket settings survive a restart, and generations go on growing', async () => {
  const first = await scratch.start();
  const before = makeClient(first.url).bucket('members');
  await before.file('a/b.txt').save('one', { resumable: false });
  await before.file('a/b.txt').save('two', { resumable: false, metadata: { metadata: { run: '2' } } });
  await before.file('a/b.txt').setMetadata({ cacheControl: 'no-store' });
  await before.setMetadata({ labels: { kept: 'yes' } });
  const [listed] = await before.getFiles({ versions: true });
  await first.close();

  const second = await scratch.start();
  const after = makeClient(second.url).bucket('members');
  const [relisted] = await after.getFiles({ versions: true });
  const comparable = ({ selfLink: _, mediaLink: __, ...rest }: Record<string, unknown>) => rest;
  expect(relisted.map((file) => comparable({ ...file.metadata }))).toEqual(
    listed.map((file) => comparable({ ...file.metadata })),
  );
  expect((await after.getMetadata())[0]).toMatchObject({
    versioning: { enabled: true },
    labels: { kept: 'yes' },
  });
  const newest = String(relisted.at(-1)?.metadata.generation);
  await after
    .file('a/b.txt')
    .save('three', { resumable: false, preconditionOpts: { ifGenerationMatch: newest } });
  const generation = String((await after.file('a/b.txt').getMetadata())[0].generation);
  expect(BigInt(generation)).toBeGreaterThan(BigInt(newest));
});

test('a resumable upload that began before a restart ends after it', async () => {
  const first = await scratch.start();
  const begin = await fetch(`${first.url}/upload/storage/v1/b/members/o?uploadType=resumable&name=resumed`, {
    method: 'POST',
  });
  const session = new URL(begin.headers.get('location') ?? '');
  const put = (origin: string, range: string, body: string) =>
    fetch(new URL(session.pathname + session.search, origin), {
      method: 'PUT',
      headers: { 'content-range': range },
      redirect: 'manual',
      body,
    });
  expect((await put(first.url, 'bytes 0-4/9', '12345')).status).toBe(308);
  await first.close();
  const second = await scratch.start();
  expect((await put(second.url, 'bytes 5-8/9', '6789')).status).toBe(200);
  const file = makeClient(second.url).bucket('members').file('resumed');
  expect((await file.download({ validation: 'md5' }))[0].toString()).toBe('123456789');
});

class Crash extends Error {}

/** Runs `change` on a server that stops before the given step, as a crash there would, and starts it again. */
async function crashBefore(
  step: StoreStep,
  versioning: boolean,
  change: (client: Storage) => Promise<unknown>,
): Promise<{ client: Storage; crashed: boolean }> {
  let armed = false;
  let crashed = false;
  const first = await scratch.start({
    onStep(current) {
      // Once crashed, nothing may touch the disk any more.
      if (!crashed && !(armed && current === step)) return;
      crashed = true;
      throw new Crash();
    },
  });
  const client = makeClient(first.url);
  await client.createBucket('members', { versioning: { enabled: versioning } });
  await client
    .bucket('members')
    .file('list.txt')
    .save('old', { resumable: false, metadata: { metadata: { v: 'old' } } });
  armed = true;
  await change(client).catch(() => {});
  await first.close();
  const second = await scratch.start();
  return { client: makeClient(second.url), crashed };
}

const REPLACE = (client: Storage) =>
  client
    .bucket('members')
    .file('list.txt')
    .save('new', { resumable: false, metadata: { metadata: { v: 'new' } } });
const DELETE = (client: Storage) => client.bucket('members').file('list.txt').delete();

describe.each([{ versioning: true }, { versioning: false }])(
  'with versioning $versioning, a crash',
  ({ versioning }) => {
    test.each<{ step: StoreStep; survives: 'old' | 'new' }>([
      { step: 'data', survives: 'old' },
      { step: 'record', survives: 'old' },
      { step: 'commit', survives: 'old' },
      { step: 'view', survives: 'new' },
      ...(versioning ? [] : [{ step: 'prune', survives: 'new' } as const]),
    ])('before "$step" of a replacement leaves the $survives object, whole', async ({ step, survives }) => {
      const { client, crashed } = await crashBefore(step, versioning, REPLACE);
      expect(crashed).toBe(true);
      const file = client.bucket('members').file('list.txt');
      expect((await file.download({ validation: 'md5' }))[0].toString()).toBe(survives);
      expect((await file.getMetadata())[0].metadata).toEqual({ v: survives });
      expect(await plainFile('list.txt')).toBe(survives);
      const [versions] = await client.bucket('members').getFiles({ versions: true });
      expect(versions).toHaveLength(versioning && survives === 'new' ? 2 : 1);
      expect(await versionFiles('data')).toHaveLength(versions.length);
      expect(await versionFiles('incoming')).toEqual([]);
    });

    test.each<{ step: StoreStep; deleted: boolean }>([
      { step: 'commit', deleted: false },
      { step: 'view', deleted: true },
      ...(versioning ? [] : [{ step: 'prune', deleted: true } as const]),
    ])('before "$step" of a delete leaves it done or undone: $deleted', async ({ step, deleted }) => {
      const { client, crashed } = await crashBefore(step, versioning, DELETE);
      expect(crashed).toBe(true);
      expect(await client.bucket('members').file('list.txt').exists()).toEqual([!deleted]);
      const shown = await readdir(path.join(scratch.directory, 'members'));
      expect(shown).toEqual(deleted ? [] : ['list.txt']);
      expect(await versionFiles('data')).toHaveLength(versioning || !deleted ? 1 : 0);
    });
  },
);

test('a killed process loses nothing that it acknowledged, and shows nothing half', async () => {
  const program = path.join(import.meta.dirname, 'server-process.ts');
  const child = spawn(process.execPath, [program, scratch.directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [line] = await once(child.stdout, 'data');
  const bucket = makeClient(String(line).trim()).bucket('members');
  const acknowledged = new Map<string, number>();
  let total = 0;
  const writer = async (name: string) => {
    for (let round = 1; ; round += 1) {
      await bucket.file(name).save(`${round} `.repeat(20_000), { resumable: false });
      acknowledged.set(name, round);
      total += 1;
      if (total === 12) child.kill('SIGKILL');
    }
  };
  await Promise.allSettled(['w1', 'w2', 'w3'].map(writer));
  await exited;

  const restarted = makeClient((await scratch.start()).url).bucket('members');
  for (const [name, round] of acknowledged) {
    const text = await textOf(restarted.file(name));
    const found = Number.parseInt(text, 10);
    // The write after the last acknowledged one may have become durable before the kill.
    expect([round, round + 1]).toContain(found);
    expect(text).toBe(`${found} `.repeat(20_000));
    expect(await plainFile(name)).toBe(text);
  }
  expect(acknowledged.size).toBe(3);
  const [versions] = await restarted.getFiles({ versions: true });
  expect(await versionFiles('data')).toHaveLength(versions.length);
  expect(await versionFiles('incoming')).toEqual([]);
});
