import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { numbersOf } from '../../src/registry/digests.ts';
import { call, start } from './support.ts';

const FILE = new URL('../../../contract/vectors/digests.json', import.meta.url);
const vectors = JSON.parse(readFileSync(FILE, 'utf8'));

/** biome-ignore lint/suspicious/noExplicitAny: an answer over HTTP */
type Json = any;

const sumsApart = (members: Json[]) => {
  const totals = new Map<number, Record<string, number>>();
  for (const member of members) {
    const { bucket, ...numbers } = numbersOf(member.ssn.replace('-', ''), member.digest);
    const total = totals.get(bucket) ?? { bucket, count: 0, a: 0, b: 0, ka: 0, kb: 0 };
    total['count'] = (total['count'] ?? 0) + 1;
    for (const [name, value] of Object.entries(numbers)) total[name] = (total[name] ?? 0) + value;
    totals.set(bucket, total);
  }
  return [...totals.values()].sort((one, other) => (one['bucket'] ?? 0) - (other['bucket'] ?? 0));
};

describe('GET /api/sync/digests/', () => {
  test.each(vectors.members as Json[])('$digest adds what the companion app adds', (row) => {
    const { kennitala, digest, ...numbers } = row;
    expect(numbersOf(kennitala, digest)).toEqual(numbers);
  });

  test('answers the sums of the members, before and after changes, and no placeholder', async () => {
    const registry = await start({ members: 300, placeholders: 3 });
    const seen: number[] = [];
    const changes = [
      () => undefined,
      () => registry.updateMember(4, { name: 'Önnur' }),
      () => registry.deleteMember(5),
      () => registry.createMember(),
    ];
    for (const change of changes) {
      change();
      const { json } = await call(registry, '/api/sync/digests/');
      expect(json.buckets.map((row: Json) => row.bucket)).toEqual(Array.from({ length: 256 }, (_, n) => n));
      const members = (await call(registry, '/api/members/?page_size=1000')).json.results;
      const counted = members.filter(({ ssn }: Json) => !ssn.startsWith('9999'));
      expect(json.buckets.filter((row: Json) => row.count > 0)).toEqual(sumsApart(counted));
      seen.push(json.newest_version);
    }
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  test('a page of one bucket has the members of its sums', async () => {
    const registry = await start({ members: 300, placeholders: 3 });
    const { json } = await call(registry, '/api/sync/digests/');
    let found = 0;
    for (const row of json.buckets.slice(0, 40)) {
      const page = (await call(registry, `/api/members/?bucket=${row.bucket}`)).json;
      expect(sumsApart(page.results)).toEqual(row.count === 0 ? [] : [row]);
      found += page.count;
    }
    expect(found).toBeGreaterThan(10);
    for (const bad of ['256', '-1', 'x', '']) {
      expect((await call(registry, `/api/members/?bucket=${bad}`)).status).toBe(400);
    }
  });

  test('without the companion app there are none', async () => {
    const registry = await start({ companion: false });
    expect((await call(registry, '/api/sync/digests/')).status).toBe(404);
    expect((await call(registry, '/api/members/')).json.results[0]).not.toHaveProperty('digest');
  });
});
