import type { Bucket } from '@google-cloud/storage';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeClient, makeScratch, refusal, type Scratch, saveEach, textOf } from './support/scratch.ts';

let scratch: Scratch;
let url: string;
let bucket: Bucket;
beforeAll(async () => {
  scratch = await makeScratch();
  url = (await scratch.start()).url;
  bucket = makeClient(url).bucket('members');
});
afterAll(() => scratch.clean());

const save = (name: string, text: string, ifGenerationMatch: string | number) =>
  bucket.file(name).save(text, { resumable: false, preconditionOpts: { ifGenerationMatch } });

test('an upload with ifGenerationMatch 0 creates an object, and is refused with 412 once it exists', async () => {
  await save('created', 'one', 0);
  expect(await refusal(save('created', 'two', 0))).toBe(412);
  expect(await textOf(bucket.file('created'))).toBe('one');
});

test('an upload on the generation that was read replaces it, and on an older one is refused', async () => {
  const [generation = ''] = await saveEach(bucket.file('replaced'), ['first']);
  await save('replaced', 'second', generation);
  expect(await refusal(save('replaced', 'third', generation))).toBe(412);
  expect(await textOf(bucket.file('replaced'))).toBe('second');
});

test('of two racing writers with one generation, exactly one wins', async () => {
  let [current = ''] = await saveEach(bucket.file('race'), ['first']);
  for (let round = 0; round < 5; round += 1) {
    const results = await Promise.allSettled(
      ['left', 'right'].map((text) => save('race', text, current).then(() => text)),
    );
    const winners = results.filter((result) => result.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    expect(await textOf(bucket.file('race'))).toBe(winners[0]?.value);
    current = String((await bucket.file('race').getMetadata())[0].generation);
  }
});

test.each([
  ['that the object has', true],
  ['that the object has not', false],
])('under a generation %s, a patch, a read and a delete are done: %s', async (_title, holds) => {
  const [generation = ''] = await saveEach(bucket.file(`held ${holds}`), ['first']);
  const object = `${url}/storage/v1/b/members/o/${encodeURIComponent(`held ${holds}`)}`;
  const call = async (method: string, query: string, body?: string) =>
    (
      await fetch(`${object}?ifGenerationMatch=${holds ? generation : 1}${query}`, {
        method,
        body: body ?? null,
      })
    ).status;
  expect(await call('PATCH', '', '{}')).toBe(holds ? 200 : 412);
  for (const query of ['', '&alt=media']) expect(await call('GET', query)).toBe(holds ? 200 : 412);
  expect(await call('DELETE', '')).toBe(holds ? 204 : 412);
  expect(await bucket.file(`held ${holds}`).exists()).toEqual([!holds]);
});

test('a refusal has the body of the real API', async () => {
  await saveEach(bucket.file('body'), ['first']);
  const answer = await fetch(`${url}/storage/v1/b/members/o/body?ifGenerationMatch=1`, { method: 'DELETE' });
  const message = 'At least one of the pre-conditions you specified did not hold.';
  const detail = { message, domain: 'global', reason: 'conditionNotMet' };
  expect(await answer.json()).toEqual({ error: { code: 412, message, errors: [detail] } });
});

test.each(['ifGenerationMatch', 'generation'])(
  'a %s that is no number is refused, not passed over',
  async (name) => {
    await saveEach(bucket.file('malformed'), ['first']);
    const answer = await fetch(`${url}/storage/v1/b/members/o/malformed?${name}=latest`, {
      method: 'DELETE',
    });
    expect(answer.status).toBe(400);
    expect(await bucket.file('malformed').exists()).toEqual([true]);
  },
);
