import type { Storage } from '@google-cloud/storage';
import type { Firestore } from 'firebase-admin/firestore';
import { makeRecordReader } from '../../src/adapters/firestore/record-reader.ts';
import { makeListVersions } from '../../src/adapters/storage/list-store.ts';
import { type Verification, verifyRecords } from '../../src/proof/verify.ts';
import { chain } from './chain.ts';

/** What `ops verify` would say of these stores. */
export const verifyStores = (
  { db, storageClient }: { readonly db: Firestore; readonly storageClient: Storage },
  bucket: string,
  now: () => Date = () => new Date(),
): Promise<Verification> =>
  verifyRecords(
    {
      records: makeRecordReader(async () => db),
      versions: makeListVersions(async () => storageClient, { bucket, object: 'kennitalas.txt' }),
      keys: chain,
      now,
    },
    AbortSignal.timeout(60_000),
  );
