import { Agent, request as openRequest } from 'node:http';
import { performance } from 'node:perf_hooks';

export interface WebhookRequest {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface LoadMeasured {
  /** Milliseconds from request to whole answer. */
  readonly latencies: readonly number[];
  readonly seconds: number;
}

/** Sends every request once, so many at a time over connections that stay open. Throws for an answer that is not 200. */
export const sendAll = async (
  url: string,
  requests: readonly WebhookRequest[],
  concurrency: number,
): Promise<LoadMeasured> => {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const latencies: number[] = [];
  const queue = requests.values();
  const startedAt = performance.now();
  const sender = async (): Promise<void> => {
    for (const one of queue) {
      const sentAt = performance.now();
      const status = await post(url, one, agent);
      if (status !== 200) throw new Error(`A webhook was answered ${status}.`);
      latencies.push(performance.now() - sentAt);
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, sender));
  } finally {
    agent.destroy();
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  return { latencies, seconds };
};

const post = (url: string, { body, headers }: WebhookRequest, agent: Agent): Promise<number> =>
  new Promise((resolve, reject) => {
    const request = openRequest(url, { method: 'POST', headers, agent }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });

/** The value below which so many percent of the ascending ones lie (nearest rank). */
export const percentile = (ascending: readonly number[], percent: number): number =>
  ascending[Math.ceil((ascending.length * percent) / 100) - 1] ?? Number.NaN;
