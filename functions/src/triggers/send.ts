import type { Request } from 'firebase-functions/https';
import type { HttpAnswer, HttpCall } from '../lib/http-endpoint.ts';

/** The parts of the platform's response that are used. */
interface Response {
  status(code: number): this;
  set(headers: Record<string, string>): this;
  send(body: string): unknown;
}

export const toCall = (request: Request): HttpCall => ({
  method: request.method,
  authorization: request.get('authorization'),
  rawBody: request.rawBody,
});

export const send = (response: Response, answer: HttpAnswer): void => {
  response
    .status(answer.status)
    .set({ ...answer.headers })
    .send(JSON.stringify(answer.body));
};
