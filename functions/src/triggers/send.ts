import type { FetchApp } from '../http/front.ts';
import type { HttpAnswer, HttpCall } from '../lib/http-endpoint.ts';

/** A function that answers one call, as an app. */
export const callApp = (answer: (call: HttpCall) => Promise<HttpAnswer>): FetchApp => ({
  fetch: async (request) => {
    const { status, headers, body } = await answer({
      method: request.method,
      authorization: request.headers.get('authorization') ?? undefined,
      rawBody: new Uint8Array(await request.arrayBuffer()),
    });
    return new Response(JSON.stringify(body), { status, headers: { ...headers } });
  },
});
