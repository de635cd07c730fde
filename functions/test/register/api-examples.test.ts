import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { serve } from '@hono/node-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiStack, startApiStack } from '../support/api-stack.ts';

const text = await readFile(new URL('../../../docs/api.md', import.meta.url), 'utf8');
/** A command, and the answer that the page shows below it. */
const EXAMPLES = [...text.matchAll(/```sh\n(.+?)```\n+```json\n(.+?)```/gs)].map(
  ([, command = '', answer = '']) => ({ command, shown: JSON.parse(answer) as Record<string, unknown> }),
);

let stack: ApiStack;
let server: ReturnType<typeof serve>;
let url: string;
beforeAll(async () => {
  stack = await startApiStack({ members: 40 });
  await new Promise<void>((resolve) => {
    server = serve({ fetch: stack.api.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve());
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await stack.close();
});

describe('the examples of docs/api.md', () => {
  it('are all found', () => {
    expect(EXAMPLES).toHaveLength(9);
  });

  it.each(EXAMPLES)('run as they stand: $command', async ({ command, shown }) => {
    const planId = await refusedPlan(command);
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', command], {
      env: {
        PATH: process.env['PATH'] ?? '',
        API: url,
        ADMIN_API_KEY: stack.key,
        ID_TOKEN: stack.service,
        PLAN_ID: planId,
        RUN: 'run-001',
      },
    });
    const answer = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(answer).sort()).toEqual(Object.keys(shown).sort());
    if (typeof shown['record'] === 'object') {
      expect(Object.keys(answer['record'] ?? {})).toEqual(
        expect.arrayContaining(Object.keys(shown['record'] ?? {})),
      );
    }
  });

  /** The example of an approval needs a plan that the guard refused. */
  const refusedPlan = async (command: string): Promise<string> => {
    if (!command.includes('PLAN_ID')) return '';
    for (let n = 0; n < 11; n += 1) stack.registry.deleteMember(stack.registry.randomMember());
    const { body } = await stack.call('/sync/dry-run', { method: 'POST', token: stack.key });
    return body.record.planId;
  };
});
