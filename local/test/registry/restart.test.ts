import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { call, start } from './support.ts';

const makeDataFile = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'registry-'));
  onTestFinished(async () => rmSync(folder, { recursive: true, maxRetries: 5 }));
  return join(folder, 'state', 'registry.jsonl');
};
const BARE = { members: undefined, seed: undefined } as unknown as { members: number; seed: number };

describe('a registry with a data file', () => {
  test('is the same after a restart: members, versions, queue and applied changes', async () => {
    const dataFile = makeDataFile();
    const first = await start({ dataFile, members: 80, seed: 3 });
    first.createMember({ name: 'Nýliði Prófsson' });
    first.updateMember(2, { contact_info: { email: 'a@postur.example' } });
    first.deleteMember(3);
    await call(first, '/api/sync/mark-synced/', { method: 'POST', body: { sync_ids: [1] } });
    const change = {
      change_id: 'c-1',
      kennitala: first.member(5).ssn,
      action: 'update',
      changes: { 'profile.email': 'b@postur.example' },
    };
    const apply = { method: 'POST', body: { changes: [change] } };
    const applied = (await call(first, '/api/sync/apply/', apply)).json;
    const paths = ['/api/members/', '/api/sync/changes/', '/api/sync/status/'];
    const before = await Promise.all(
      paths.map(async (path) => (await call(first, path)).text.replace(first.url, '')),
    );
    await first.close();

    const second = await start({ ...BARE, dataFile });
    const after = await Promise.all(
      paths.map(async (path) => (await call(second, path)).text.replace(second.url, '')),
    );
    expect(after).toEqual(before);
    expect((await call(second, '/api/sync/apply/', apply)).json).toEqual(applied);
    expect(second.updateMember(2).version).toBe(5);
  });

  test('refuses to be another registry', async () => {
    const dataFile = makeDataFile();
    await (await start({ dataFile, members: 80 })).close();
    await expect(start({ dataFile, members: 90 })).rejects.toThrow(/members = 80, but members = 90/);
  });

  test('cuts off what a crash left of an unfinished line', async () => {
    const dataFile = makeDataFile();
    const first = await start({ dataFile });
    first.updateMember(2);
    await first.close();
    appendFileSync(dataFile, '{"type":"change","id":2,"ind');
    const second = await start({ dataFile });
    expect(second.summary().last_version).toBe(1);
    second.updateMember(2);
    expect(
      readFileSync(dataFile, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual([undefined, 1, 2]);
  });
});
