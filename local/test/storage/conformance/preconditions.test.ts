import type { Bucket, File } from '@google-cloud/storage';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTarget, refusal, type Target, textOf } from './target.ts';

const LIVE = 'live';
let target: Target;
let bucket: Bucket;
beforeAll(async () => {
  target = await openTarget();
  bucket = await target.newBucket();
});
afterAll(() => target.close());

async function saved(name: string): Promise<{ file: File; generation: string }> {
  const file = bucket.file(name);
  await file.save('first', { resumable: false });
  return { file, generation: String(file.metadata.generation) };
}

describe.each([
  { kind: 'multipart', resumable: false },
  { kind: 'resumable', resumable: true },
])('a $kind upload', ({ kind, resumable }) => {
  test('with ifGenerationMatch 0 creates an object, and is refused with 412 once it exists', async () => {
    const file = bucket.file(`create-${kind}`);
    const save = (text: string) => file.save(text, { resumable, preconditionOpts: { ifGenerationMatch: 0 } });
    await save('one');
    expect(await refusal(save('two'))).toBe(412);
    expect(await textOf(file)).toBe('one');
  });

  test('on the generation that was read replaces it, and on an older one is refused', async () => {
    const { file, generation } = await saved(`replace-${kind}`);
    const save = (text: string) =>
      file.save(text, { resumable, preconditionOpts: { ifGenerationMatch: generation } });
    await save('second');
    expect(await refusal(save('third'))).toBe(412);
    expect(await textOf(file)).toBe('second');
  });

  test('of two racing writers with one generation, exactly one wins', async () => {
    const { file, generation } = await saved(`race-${kind}`);
    for (let current = generation, round = 0; round < 5; round += 1) {
      const results = await Promise.allSettled(
        ['left', 'right'].map((text) =>
          bucket
            .file(file.name)
            .save(text, { resumable, preconditionOpts: { ifGenerationMatch: current } })
            .then(() => text),
        ),
      );
      const winners = results.filter((result) => result.status === 'fulfilled');
      expect(winners).toHaveLength(1);
      expect(await textOf(file)).toBe(winners[0]?.value);
      current = String((await file.getMetadata())[0].generation);
    }
  });
});

/** `LIVE` stands for the number that the object has. */
const WRITES = [
  { condition: { ifGenerationMatch: 1 }, status: 412 },
  { condition: { ifGenerationNotMatch: LIVE }, status: 412 },
  { condition: { ifGenerationNotMatch: 1 }, status: 200 },
  { condition: { ifMetagenerationMatch: 7 }, status: 412 },
  { condition: { ifMetagenerationMatch: 1 }, status: 200 },
  { condition: { ifMetagenerationNotMatch: 1 }, status: 412 },
  { condition: { ifMetagenerationNotMatch: 7 }, status: 200 },
] as const;

const READS = WRITES.map(({ condition, status }) => ({
  condition,
  status: status === 412 && Object.keys(condition).some((key) => key.endsWith('NotMatch')) ? 304 : status,
}));

function queryOf(condition: Readonly<Record<string, string | number>>, generation: string): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(condition)) {
    query.set(key, value === LIVE ? generation : String(value));
  }
  return query.toString();
}

test.each(WRITES)(
  'an upload, patch, copy and delete under $condition answer $status',
  async ({ condition, status }) => {
    const { file, generation } = await saved(`writes ${JSON.stringify(condition)}`);
    const query = queryOf(condition, generation);
    const object = `b/${bucket.name}/o/${encodeURIComponent(file.name)}`;
    const call = async (path: string, init: RequestInit) =>
      (await fetch(`${target.url}/${path}`, { headers: { 'content-type': 'application/json' }, ...init }))
        .status;
    const name = encodeURIComponent(file.name);

    expect(await call(`storage/v1/${object}?${query}`, { method: 'PATCH', body: '{}' })).toBe(status);
    const [{ metageneration }] = await file.getMetadata();
    expect(metageneration).toBe(status === 200 ? '2' : '1');
    // Every accepted write moves a number that the condition names, so each starts from a new object.
    const again = await saved(`${file.name} again`);
    const upload = `upload/storage/v1/b/${bucket.name}/o?uploadType=media&name=${encodeURIComponent(again.file.name)}`;
    expect(
      await call(`${upload}&${queryOf(condition, again.generation)}`, { method: 'POST', body: 'second' }),
    ).toBe(status);

    const copied = await saved(`${file.name} copied`);
    const copy = `storage/v1/${object}/rewriteTo/b/${bucket.name}/o/${encodeURIComponent(copied.file.name)}`;
    expect(
      await call(`${copy}?${queryOf(condition, copied.generation)}`, { method: 'POST', body: '{}' }),
    ).toBe(status);

    const gone = await saved(`${file.name} gone`);
    const deletion = `storage/v1/b/${bucket.name}/o/${name}${encodeURIComponent(' gone')}`;
    expect(await call(`${deletion}?${queryOf(condition, gone.generation)}`, { method: 'DELETE' })).toBe(
      status === 200 ? 204 : 412,
    );
    expect(await gone.file.exists()).toEqual([status !== 200]);
  },
);

test.each(READS)('a read under $condition answers $status', async ({ condition, status }) => {
  const { file, generation } = await saved(`reads ${JSON.stringify(condition)}`);
  const url = `${target.url}/storage/v1/b/${bucket.name}/o/${encodeURIComponent(file.name)}`;
  for (const alt of ['json', 'media']) {
    const answer = await fetch(`${url}?alt=${alt}&${queryOf(condition, generation)}`);
    const body = await answer.text();
    expect({ alt, status: answer.status }).toEqual({ alt, status });
    if (status === 304) expect(body).toBe('');
  }
});

test('a refusal has the body of the real API', async () => {
  const { file } = await saved('body');
  const url = `${target.url}/storage/v1/b/${bucket.name}/o/${file.name}?ifGenerationMatch=1`;
  const answer = await fetch(url, { method: 'DELETE' });
  const message = 'At least one of the pre-conditions you specified did not hold.';
  expect(await answer.json()).toEqual({
    error: {
      code: 412,
      message,
      errors: [
        {
          message,
          domain: 'global',
          reason: 'conditionNotMet',
          locationType: 'header',
          location: 'If-Match',
        },
      ],
    },
  });
});

test('a condition that is no number is refused, not ignored', async () => {
  const { file } = await saved('malformed');
  const url = `${target.url}/storage/v1/b/${bucket.name}/o/${file.name}?ifGenerationMatch=latest`;
  expect((await fetch(url, { method: 'DELETE' })).status).toBe(400);
  expect(await file.exists()).toEqual([true]);
});
