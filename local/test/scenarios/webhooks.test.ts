import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tourWebhooks } from '../../src/scenarios/webhooks.ts';
import { startStack } from '../../src/stack.ts';
import { findFreePorts } from './free-ports.ts';

/** Everything of the tour, less of each, and time for a machine that has much else to do. */
const FAST = { burst: 40, outageChanges: 20, outageSeconds: 1, lossyChanges: 30, visibleWithinMs: 5_000 };

it('the tour of the webhooks ends with the portal equal to the registry', { timeout: 240_000 }, async () => {
  const data = await mkdtemp(join(tmpdir(), 'tour-'));
  const stack = await startStack({ data, ports: await findFreePorts(), members: 300, register: false });
  const lines: string[] = [];
  try {
    const isWell = await tourWebhooks(stack, (more) => lines.push(...more), FAST);
    const text = lines.join('\n');
    expect(text).not.toContain('✗');
    expect(text).toContain('Portal equals registry.');
    expect(isWell).toBe(true);
    // Members are named by their place in the registry alone.
    expect(text).not.toMatch(/\d{6}-?\d{4}/);
    expect(existsSync(join(stack.bucketFolder, 'kennitalas.txt'))).toBe(true);
  } finally {
    await stack.close();
    await rm(data, { recursive: true, maxRetries: 5 });
  }
});
