import type { Dispatcher } from 'undici';
import { closedClient, MAX_HEADER_BYTES } from './failures.ts';

export interface PoolOptions {
  /** Of one answer, on the wire. */
  readonly maxAnswerBytes: number;
  /** Certificate authorities (PEM) to trust instead of the well-known ones. */
  readonly ca?: string | undefined;
}

/** Connections that stay open between requests. undici is loaded and the pool made at the first use. */
export interface ConnectionPool {
  readonly open: () => Promise<Dispatcher>;
  /** Ends requests that are under way. Using it afterwards is refused, so that a retry cannot open it again. */
  readonly close: () => Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;

export const makePool = ({ maxAnswerBytes, ca }: PoolOptions): ConnectionPool => {
  let opened: Promise<Dispatcher> | undefined;
  let isClosed = false;
  const openAgent = async (): Promise<Dispatcher> => {
    const { Agent } = await import('undici');
    return new Agent({
      // HTTP/1.1 is what each row of the table of answers is tested against.
      allowH2: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      maxResponseSize: maxAnswerBytes,
      // The caller's time limit covers the whole request; these would be second, coarser ones.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: CONNECT_TIMEOUT_MS, ...(ca === undefined ? {} : { ca }) },
    });
  };
  return {
    open: async () => {
      if (isClosed) throw closedClient();
      opened ??= openAgent();
      return await opened;
    },
    close: async () => {
      isClosed = true;
      await (await opened)?.destroy();
    },
  };
};
