import { describe, expect, it } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import type { LogFields, LogSink } from '../../src/lib/log.ts';
import { answerWebhookFailure, makeWebhookLogs } from '../../src/portal/receive-webhook.ts';
import { readAnswer } from '../support/registry-events.ts';

describe('a failure, as the sender and the log hear of it', () => {
  const answered = async (...failures: SyncError[]) => {
    const lines: { severity: string; message: string; fields: LogFields }[] = [];
    const log: LogSink = (severity, message, fields) => lines.push({ severity, message, fields });
    const answers = [];
    for (const failure of failures) answers.push(await readAnswer(answerWebhookFailure(failure, log)));
    return { answers, lines };
  };

  it('that nobody foresaw is to be tried again, and has a reference by which the log tells it', async () => {
    const { answers, lines } = await answered(new SyncError('internal', 'what happened'));
    expect(answers).toMatchObject([
      {
        status: 503,
        body: {
          error: 'Something failed here; send it again.',
          code: 'internal',
          reference: expect.any(String),
        },
      },
    ]);
    const [line] = lines;
    expect(line).toMatchObject({
      severity: 'ERROR',
      message: '[WEBHOOK] Unexpected failure',
      fields: { event: 'webhook_failed' },
    });
    expect(answers[0]?.body).toMatchObject({ reference: line?.fields['reference'] });
  });

  it('of the sender that has no place names none', async () => {
    const { answers } = await answered(new SyncError('invalid_request', 'no number'));
    expect(answers[0]?.body).toEqual({ error: 'no number', code: 'invalid_request', issues: [] });
  });

  it('of the sender is a warning, and names the place', async () => {
    const path = { details: { path: 'version' } };
    const { answers, lines } = await answered(new SyncError('invalid_request', 'no number', path));
    expect(answers).toMatchObject([
      { status: 400, body: { issues: [{ path: 'version', message: 'no number' }], error: 'no number' } },
    ]);
    expect(lines).toMatchObject([
      {
        severity: 'WARNING',
        message: '[WEBHOOK] Refused: invalid_request',
        fields: { event: 'webhook_refused', status: 400, path: 'version' },
      },
    ]);
  });

  it('of ours is an error once, and a warning while it lasts', async () => {
    const down = () => new SyncError('store_unavailable', 'no answer');
    const { answers, lines } = await answered(down(), down());
    expect(answers.map(({ status }) => status)).toEqual([503, 503]);
    expect(lines.map(({ severity }) => severity)).toEqual(['ERROR', 'WARNING']);
  });

  it('of ours that trying again does not mend is an error too, and the sender tries again all the same', async () => {
    const { answers, lines } = await answered(new SyncError('config_invalid', 'a setting is missing'));
    expect(answers).toMatchObject([
      { status: 503, headers: { 'retry-after': '5' }, body: { code: 'config_invalid' } },
    ]);
    expect(lines).toMatchObject([{ severity: 'ERROR', fields: { status: 500, code: 'config_invalid' } }]);
  });

  it('to confirm a hint is a warning, and a hint that ended well is none', () => {
    const lines: unknown[][] = [];
    const logs = makeWebhookLogs((...line) => lines.push(line));
    logs.followed('m_1', 'confirmed', 2, 10);
    logs.followed('m_1', 'unconfirmed', 9, 20);
    logs.skipped();
    expect(lines.map(([severity, message]) => [severity, message])).toEqual([
      ['INFO', '[WEBHOOK] A hint was followed: confirmed'],
      ['WARNING', '[WEBHOOK] A hint was followed: unconfirmed'],
      ['INFO', '[WEBHOOK] skipped: a placeholder'],
    ]);
    expect(lines[0]?.[2]).toEqual({
      event: 'hint_followed',
      result: 'confirmed',
      member: 'm_1',
      looks: 2,
      milliseconds: 10,
    });
  });
});
