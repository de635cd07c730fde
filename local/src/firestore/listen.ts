import type { Duplex } from 'node:stream';
import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import { rewriteQuery } from './rewrite-query.ts';
import { RpcError, toServiceError } from './rpc-error.ts';
import type { FindDatabase } from './rpcs.ts';
import type { ListenRequest, ListenResponse, V1Target } from './wire.ts';

/**
 * Serves one Listen call. Every target has an engine stream of its own, made when the target is added:
 * a target added to a running stream would start from the last commit instead of from the data.
 */
export function serveListen(
  call: ServerDuplexStream<ListenRequest, ListenResponse>,
  find: FindDatabase,
): void {
  const targets = new Map<number, Duplex>();

  const stop = () => {
    for (const stream of targets.values()) stream.destroy();
    targets.clear();
  };
  const fail = (error: unknown) => {
    stop();
    call.emit('error', toServiceError(error));
  };

  const add = (request: ListenRequest, target: V1Target) => {
    const targetId = target.targetId || 1;
    if (targets.has(targetId))
      throw new RpcError(status.INVALID_ARGUMENT, 'The target is already listened to.');
    const { engine } = find(request.database);
    const stream = engine.listen({ addTarget: { ...target, targetId, ...withRewrittenQuery(target) } });
    targets.set(targetId, stream);
    stream.on('data', (response: ListenResponse) => void call.write(response));
    stream.on('error', fail);
  };

  const remove = (targetId: number) => {
    targets.get(targetId)?.destroy();
    targets.delete(targetId);
    call.write({ targetChange: { targetChangeType: 'REMOVE', targetIds: [targetId] } });
  };

  call.on('data', (request: ListenRequest) => {
    try {
      if (request.addTarget) add(request, request.addTarget);
      else if (request.removeTarget) remove(request.removeTarget);
    } catch (error) {
      fail(error);
    }
  });
  call.on('end', () => {
    stop();
    call.end();
  });
  call.on('cancelled', stop);
  call.on('error', stop);
}

function withRewrittenQuery({ query }: V1Target): Pick<V1Target, 'query'> {
  if (!query?.structuredQuery) return {};
  return { query: { ...query, structuredQuery: rewriteQuery(query.structuredQuery) } };
}
