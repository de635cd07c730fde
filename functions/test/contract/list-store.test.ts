import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Storage } from '@google-cloud/storage';
import { afterAll } from 'vitest';
import { startStorage } from '../../../local/src/storage/index.ts';
import { makeListStore } from '../../src/adapters/storage/list-store.ts';
import type { MakeCall } from '../support/memory/call.ts';
import { makeMemoryStorage } from '../support/memory/storage.ts';
import { describeListStore } from './list-store-contract.ts';

const folder = await mkdtemp(join(tmpdir(), 'list-store-'));
const server = await startStorage({ directory: folder });
const client = new Storage({
  projectId: 'demo-ekklesia',
  apiEndpoint: server.url,
  retryOptions: { maxRetries: 2, maxRetryDelay: 1 },
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, maxRetries: 5 });
});

let buckets = 0;
describeListStore('Cloud Storage', async () => {
  buckets += 1;
  const options = { bucket: `bucket-${buckets}`, object: 'kennitalas.txt' };
  return {
    store: makeListStore(async () => client, options),
    metadata: async () => {
      const [{ metadata }] = await client.bucket(options.bucket).file(options.object).getMetadata();
      return { ...metadata };
    },
    loseNextAnswer: () => {
      server.failNext({ matches: ({ method }) => method === 'POST', stage: 'after', answer: 503 });
    },
  };
});

describeListStore('the Cloud Storage of the simulated world', async () => {
  const memory = makeMemoryStorage(Date.now);
  let isAnswerLost = false;
  /** What the client does when an answer is lost: it sends the same once more. */
  const call: MakeCall = async (_server, what, effect) => {
    await null;
    if (isAnswerLost && what === 'publish') effect();
    isAnswerLost &&= what !== 'publish';
    return effect();
  };
  const storage = memory.clientOf(call);
  return {
    store: makeListStore(async () => storage, { bucket: 'bucket', object: 'kennitalas.txt' }),
    metadata: async () => {
      const [{ metadata }] = await storage.bucket('bucket').file('kennitalas.txt').getMetadata();
      return { ...metadata };
    },
    loseNextAnswer: () => {
      isAnswerLost = true;
    },
  };
});
