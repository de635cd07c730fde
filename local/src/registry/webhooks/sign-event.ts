import { Webhook } from 'standardwebhooks';
import { ControlError } from '../control/control-error.ts';

/**
 * The Standard Webhooks headers of one attempt: one signature a secret, so that a receiver that knows either of two
 * secrets takes it during a rotation. The id stays the same over all attempts; the timestamp is the attempt's.
 */
export const signEvent = (
  id: string,
  body: string,
  secrets: readonly string[],
  at: Date,
): Record<string, string> => ({
  'webhook-id': id,
  'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
  'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
});

/** Throws for a list without a secret or with one that cannot sign, without quoting it. */
export const assertSecrets = (secrets: readonly string[]): void => {
  const usable = (secret: string): boolean => {
    try {
      return new Webhook(secret) instanceof Webhook;
    } catch {
      return false;
    }
  };
  if (secrets.length === 0 || !secrets.every(usable)) {
    throw new ControlError(
      400,
      'A webhook needs secrets, each of them base64 with or without whsec_ in front.',
    );
  }
};
