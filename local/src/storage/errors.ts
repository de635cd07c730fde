/**
 * A refusal in the form of the JSON API: an HTTP status, one machine-readable `reason`, and a sentence.
 * `304` carries no body, as HTTP demands.
 */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly location: { locationType: string; location: string } | undefined;

  constructor(
    status: number,
    reason: string,
    message: string,
    location?: { locationType: string; location: string },
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
    this.location = location;
  }
}

export const badRequest = (message: string): ApiError => new ApiError(400, 'invalid', message);

export const bucketNotFound = (): ApiError =>
  new ApiError(404, 'notFound', 'The specified bucket does not exist.');

export const objectNotFound = (bucket: string, name: string): ApiError =>
  new ApiError(404, 'notFound', `No such object: ${bucket}/${name}`);

export const conditionNotMet = (header: 'If-Match' | 'If-None-Match'): ApiError =>
  new ApiError(412, 'conditionNotMet', 'At least one of the pre-conditions you specified did not hold.', {
    locationType: 'header',
    location: header,
  });

export const notModified = (): ApiError => new ApiError(304, 'notModified', 'Not Modified');

/** Says so rather than pretending: a call that this server does not simulate must never look like success. */
export const notSimulated = (what: string): ApiError =>
  new ApiError(501, 'notImplemented', `${what} is not simulated by the local Cloud Storage server.`);

/** The error body of the JSON API (https://cloud.google.com/storage/docs/json_api/v1/status-codes). */
export function errorBody(error: ApiError): string {
  const detail = { message: error.message, domain: 'global', reason: error.reason, ...error.location };
  return JSON.stringify({ error: { code: error.status, message: error.message, errors: [detail] } });
}
