/** A CloudEvent over HTTP, in binary mode (`ce-…` headers) or structured mode (`application/cloudevents+json`). */
export interface HttpCloudEvent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/**
 * POSTs an event once. Returns the answer's status, or null when there was none: the connection was refused or
 * broken, `timeoutSeconds` passed, or `signal` was aborted.
 */
export async function postEvent(
  url: string,
  event: HttpCloudEvent,
  limit: { readonly timeoutSeconds: number; readonly signal: AbortSignal },
): Promise<number | null> {
  const signal = AbortSignal.any([limit.signal, AbortSignal.timeout(limit.timeoutSeconds * 1000)]);
  const body = typeof event.body === 'string' ? event.body : new Uint8Array(event.body);
  try {
    const response = await fetch(url, { method: 'POST', headers: event.headers, body, signal });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return null;
  }
}
