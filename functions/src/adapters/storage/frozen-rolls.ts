import type { FileMetadata, Storage } from '@google-cloud/storage';
import { z } from 'zod';
import { SyncError } from '../../lib/errors.ts';
import type { FrozenRoll, FrozenRolls } from '../../proof/ports.ts';
import { receipt } from '../../proof/schemas.ts';
import { download, statusOf, storageCall, upload } from './client.ts';

/** Beside the list, under a prefix that the lifecycle of its versions does not match. */
export const ROLLS_PREFIX = 'rolls/';

const nameOf = (name: string): string => `${ROLLS_PREFIX}${name}.txt`;

/**
 * Rolls as objects of their own. Each object's custom time is the day until which it is kept: the bucket's lifecycle
 * deletes it after that and not before, and Cloud Storage lets nobody move a custom time back
 * (https://cloud.google.com/storage/docs/metadata#custom-time).
 */
export const makeFrozenRolls = (client: () => Promise<Storage>, bucket: string): FrozenRolls => {
  const fileOf = async (name: string) => (await client()).bucket(bucket).file(nameOf(name));
  return {
    freeze: async (roll, bytes) => {
      const file = await fileOf(roll.name);
      try {
        await storageCall('freeze the roll', () =>
          upload(file, bytes, {
            ifGeneration: 0,
            cacheControl: 'no-store',
            customTime: roll.until.toISOString(),
            metadata: {
              by: roll.by,
              reason: roll.reason,
              frozenAt: roll.frozenAt.toISOString(),
              receipt: JSON.stringify(roll.receipt),
            },
          }),
        );
      } catch (cause) {
        if (!(cause instanceof SyncError) || cause.code !== 'storage_conflict') throw cause;
        // The answer to our own first attempt may have been lost, or somebody asked twice.
        const [metadata] = await storageCall('read the frozen roll', () => file.getMetadata());
        const held = toFrozen(metadata);
        const isSame =
          held.receipt.sha256 === roll.receipt.sha256 &&
          held.receipt.at === roll.receipt.at &&
          held.until.getTime() === roll.until.getTime();
        if (!isSame) {
          throw new SyncError(
            'storage_conflict',
            'Another roll is frozen under that name. Take another name.',
          );
        }
      }
    },
    read: async (name) => {
      const file = await fileOf(name);
      const found = await download('read the frozen roll', file);
      if (found === null) return null;
      try {
        const [metadata] = await storageCall('read the frozen roll', () => file.getMetadata());
        return { roll: toFrozen(metadata), bytes: found.bytes };
      } catch (cause) {
        if (cause instanceof SyncError && statusOf(cause.cause) === 404) return null;
        throw cause;
      }
    },
    list: () =>
      storageCall('list the frozen rolls', async () => {
        const [files] = await (await client()).bucket(bucket).getFiles({ prefix: ROLLS_PREFIX });
        return files.map(({ metadata }) => toFrozen(metadata));
      }),
  };
};

const shape = z.object({
  name: z.string(),
  customTime: z.string(),
  metadata: z.object({
    by: z.string(),
    reason: z.string(),
    frozenAt: z.string(),
    receipt: z
      .string()
      .transform((text, context): unknown => {
        try {
          return JSON.parse(text);
        } catch {
          context.addIssue({ code: 'custom', message: 'no receipt' });
          return z.NEVER;
        }
      })
      .pipe(receipt),
  }),
});

const toFrozen = (metadata: FileMetadata): FrozenRoll => {
  const read = shape.safeParse(metadata);
  if (!read.success) {
    throw new SyncError(
      'chain_broken',
      'An object among the frozen rolls is none that was frozen. Look at gs://BUCKET/rolls/.',
    );
  }
  const { name, customTime, metadata: kept } = read.data;
  return {
    name: name.slice(ROLLS_PREFIX.length).replace(/\.txt$/, ''),
    until: new Date(customTime),
    by: kept.by,
    reason: kept.reason,
    frozenAt: new Date(kept.frozenAt),
    receipt: kept.receipt,
  };
};
