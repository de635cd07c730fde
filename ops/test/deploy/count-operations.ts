import type { Firestore } from 'firebase-admin/firestore';
import { z } from 'zod';

export interface Counts {
  reads: number;
  writes: number;
  deletes: number;
  /** The collections of the documents that were written or deleted. */
  readonly collections: string[];
}

const commit = z.object({
  writes: z
    .array(z.object({ update: z.object({ name: z.string() }), delete: z.string() }).partial())
    .default([]),
});
const streamed = z.object({ document: z.unknown(), found: z.unknown(), missing: z.unknown() }).partial();

/** The two methods by which the client sends everything; they are its own, so a test alone may look there. */
interface Requests {
  request(method: string, body: unknown, ...rest: unknown[]): Promise<unknown>;
  requestStream(
    method: string,
    bidirectional: boolean,
    body: unknown,
    ...rest: unknown[]
  ): Promise<NodeJS.ReadableStream>;
}

/**
 * Counts what Firestore would bill of a client's requests from now on: documents that are read or asked for in vain,
 * one for a query that finds nothing, and documents written.
 */
export const countOperations = (db: Firestore): Counts => {
  const counts: Counts = { reads: 0, writes: 0, deletes: 0, collections: [] };
  const client = db as unknown as Requests;
  const request = client.request.bind(db);
  const requestStream = client.requestStream.bind(db);
  client.request = (method, body, ...rest) => {
    if (method === 'commit' || method === 'batchWrite') {
      for (const write of commit.parse(body).writes) {
        if (write.delete) counts.deletes += 1;
        else counts.writes += 1;
        counts.collections.push((write.update?.name ?? write.delete ?? '').split('/').at(-2) ?? '');
      }
    }
    return request(method, body, ...rest);
  };
  client.requestStream = async (method, bidirectional, body, ...rest) => {
    const stream = await requestStream(method, bidirectional, body, ...rest);
    let found = 0;
    stream.on('data', (data: unknown) => {
      const { document, found: one, missing } = streamed.parse(data);
      if (document == null && one == null && missing == null) return;
      found += 1;
      counts.reads += 1;
    });
    stream.on('end', () => {
      if (method === 'runQuery' && found === 0) counts.reads += 1;
    });
    return stream;
  };
  return counts;
};
