import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { event, eventId, someone } from '../support/registry-events.ts';
import { startWebhookStack, type WebhookStack } from '../support/stack.ts';

const file = new URL('../../../contract/schemas/webhook-answer.json', import.meta.url);
const schema = JSON.parse(readFileSync(file, 'utf8'));
const answer = z.fromJSONSchema(schema);

let stack: WebhookStack;
beforeAll(async () => {
  stack = await startWebhookStack();
});
afterAll(() => stack.close());

describe('the contract of the answer to a webhook', () => {
  it('names every result that is answered, and no other', async () => {
    const kennitala = someone();
    const id = eventId();
    const events: [string, unknown][] = [
      [id, event(kennitala, 2, 'create')],
      [id, event(kennitala, 2, 'create')],
      [eventId(), event(kennitala, 1, 'update')],
      [eventId(), event(kennitala, null)],
      [eventId(), { kennitala: '9999000008', action: 'delete' }],
    ];
    const results = new Set<unknown>();
    for (const [sent, body] of events) {
      const { status, body: answered } = await stack.deliver(sent, body);
      expect(status).toBe(200);
      expect(answer.safeParse(answered).error).toBeUndefined();
      results.add((answered as { result: unknown }).result);
    }
    expect([...results].sort()).toEqual([...schema.properties.result.enum].sort());
  });

  it('is not fulfilled by an answer that says nothing of the outcome', () => {
    const said = { success: true, action: 'update', member: 'm_0123456789abcdef' };
    expect(answer.safeParse(said).success).toBe(false);
    expect(answer.safeParse({ ...said, result: 'unknown' }).success).toBe(false);
    expect(answer.safeParse({ ...said, result: 'accepted' }).success).toBe(true);
  });
});
