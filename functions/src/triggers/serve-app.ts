/** The parts of the platform's request and response that are used. */
interface PlatformRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly rawBody?: Uint8Array | undefined;
}

interface PlatformResponse {
  status(code: number): this;
  set(headers: Record<string, string>): this;
  send(body: string): unknown;
}

/** Hands a request of the platform to an app of the Fetch API, its body as the bytes that came, and sends the answer. */
export const serveApp = async (
  app: { fetch(request: Request): Response | Promise<Response> },
  request: PlatformRequest,
  response: PlatformResponse,
): Promise<void> => {
  const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
  const answer = await app.fetch(
    new Request(new URL(request.url, 'http://function.invalid'), {
      method: request.method,
      headers: headersOf(request),
      ...(hasBody && { body: new Uint8Array(request.rawBody ?? []) }),
    }),
  );
  response
    .status(answer.status)
    .set(Object.fromEntries(answer.headers))
    .send(await answer.text());
};

const headersOf = (request: PlatformRequest): Headers => {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return headers;
};
