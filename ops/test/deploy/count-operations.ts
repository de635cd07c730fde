import type { Firestore } from 'firebase-admin/firestore';
import { z } from 'zod';

export interface Counts {
  reads: number;
  writes: number;
}

const commit = z.object({ writes: z.array(z.unknown()).default([]) });
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
  const counts: Counts = { reads: 0, writes: 0 };
  const client = db as unknown as Requests;
  const request = client.request.bind(db);
  const requestStream = client.requestStream.bind(db);
  client.request = (method, body, ...rest) => {
    if (method === 'commit' || method === 'batchWrite') counts.writes += commit.parse(body).writes.length;
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
