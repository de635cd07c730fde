import type { WebhookEvent } from './make-event.ts';
import { signEvent } from './sign-event.ts';

export interface WebhookTarget {
  readonly url: string;
  /** `whsec_…` or bare base64; every one signs. */
  readonly secrets: readonly string[];
}

/** How an attempt ended: any 2xx is `delivered`. `retryAfterMs` is what the receiver asked for, at most a minute. */
export interface Attempt {
  readonly delivered: boolean;
  /** 0 when there was no answer. */
  readonly status: number;
  readonly retryAfterMs: number;
}

const MAX_RETRY_AFTER_MS = 60_000;

/** One signed POST. Never throws: no answer is a failed attempt. Redirects are not followed. */
export const sendEvent = async (
  event: WebhookEvent,
  { url, secrets }: WebhookTarget,
  signal: AbortSignal,
): Promise<Attempt> => {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...signEvent(`msg_${event.id}`, event.body, secrets, new Date()),
      },
      body: event.body,
      redirect: 'manual',
      signal,
    });
    // The body is read to its end so that the connection can be used again.
    await answer.arrayBuffer();
    const seconds = Number(answer.headers.get('retry-after') ?? 0);
    return {
      delivered: answer.ok,
      status: answer.status,
      retryAfterMs: seconds > 0 ? Math.min(MAX_RETRY_AFTER_MS, seconds * 1000) : 0,
    };
  } catch {
    return { delivered: false, status: 0, retryAfterMs: 0 };
  }
};
