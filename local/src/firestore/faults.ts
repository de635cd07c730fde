import { setTimeout as sleep } from 'node:timers/promises';
import type { status } from '@grpc/grpc-js';
import { RpcError } from './names.ts';

/** The calls of google.firestore.v1.Firestore that this server answers. */
export type RpcMethod =
  | 'batchGetDocuments'
  | 'batchWrite'
  | 'beginTransaction'
  | 'commit'
  | 'listCollectionIds'
  | 'listDocuments'
  | 'listen'
  | 'rollback'
  | 'runAggregationQuery'
  | 'runQuery';

/** A failure to come, for tests that prove what survives it. */
export interface Fault {
  /** Any method when absent. */
  method?: RpcMethod;
  /** The gRPC code that the client sees. The client library itself tries again after some of them, 14 for one. */
  code: status;
  /** How many calls fail; 1 when absent. */
  times?: number;
  /** `before`: nothing is done. `after`: all is done and the answer is lost. `before` when absent. */
  when?: 'before' | 'after';
  /** Only the calls whose request it accepts. */
  matches?: (request: unknown, method: RpcMethod) => boolean;
}

export interface Faults {
  /** Returns a function that takes back what has not failed yet. */
  failNext(fault: Fault): () => void;
  /** Milliseconds that every call waits before it is done. */
  setDelay(milliseconds: number): void;
  clear(): void;
  before(method: RpcMethod, request: unknown): Promise<void>;
  after(method: RpcMethod, request: unknown): void;
}

export function makeFaults(): Faults {
  const pending = new Set<Fault & { left: number }>();
  let delayMillis = 0;

  const strike = (when: 'before' | 'after', method: RpcMethod, request: unknown) => {
    for (const fault of pending) {
      if ((fault.when ?? 'before') !== when) continue;
      if (fault.method && fault.method !== method) continue;
      if (fault.matches && !fault.matches(request, method)) continue;
      fault.left -= 1;
      if (fault.left <= 0) pending.delete(fault);
      throw new RpcError(fault.code, `Fault ${when} ${method}, asked for by a test.`);
    }
  };

  return {
    failNext(fault) {
      const entry = { ...fault, left: fault.times ?? 1 };
      pending.add(entry);
      return () => void pending.delete(entry);
    },
    setDelay(milliseconds) {
      delayMillis = milliseconds;
    },
    clear() {
      pending.clear();
      delayMillis = 0;
    },
    async before(method, request) {
      if (delayMillis > 0) await sleep(delayMillis);
      strike('before', method, request);
    },
    after: (method, request) => strike('after', method, request),
  };
}
