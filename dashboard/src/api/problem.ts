import type { WireRunRecord } from '../../../functions/src/ops/schemas.ts';

/** A failed call. `code` is the problem document's, or `no_answer`, or `gave_up` when the server in between did (504). */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly code: string;
  readonly status: number;
  readonly requestId: string | null;
  /** The record of a run that was refused or failed. */
  readonly run: WireRunRecord | null;

  constructor(facts: {
    code: string;
    status: number;
    detail: string;
    requestId?: string | null;
    run?: WireRunRecord | null;
  }) {
    super(facts.detail);
    this.code = facts.code;
    this.status = facts.status;
    this.requestId = facts.requestId ?? null;
    this.run = facts.run ?? null;
  }
}

/** The problem that an answer tells; one that is no problem document keeps its status alone. */
export const toProblem = async (response: Response): Promise<ApiProblem> => {
  const { status } = response;
  const requestId = response.headers.get('x-request-id');
  if (status === 504 || status === 502)
    return new ApiProblem({ code: 'gave_up', status, detail: '', requestId });
  const body: unknown = await response.json().catch(() => null);
  const document = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  return new ApiProblem({
    status,
    requestId,
    code: typeof document['code'] === 'string' ? document['code'] : `http_${status}`,
    detail: typeof document['detail'] === 'string' ? document['detail'] : '',
    run: (document['run'] as WireRunRecord | undefined) ?? null,
  });
};
