import { MIRRORS, type MirrorName } from '../../functions/src/mirror/mirror.ts';
import type {
  CompareAnswer,
  CompareBody,
  ConflictDetail,
  ConflictsPage,
  ExplainAnswer,
  FreezeBody,
  FrozenRollAnswer,
  PauseAnswer,
  PausesAnswer,
  QueueActionAnswer,
  QueueItemDetail,
  QueuePage,
  RegistryWordBody,
  ResolveAnswer,
  ResolveBody,
  RetryAnswer,
  RollAnswer,
  RollBody,
  RollbackBody,
  RosterVersions,
  RunAnswer,
  RunGroups,
  RunPeople,
  RunsPage,
  SeriesAnswer,
  StartedRun,
  StartRunBody,
  StatusAnswer,
  SyncMemberAnswer,
  TwoWayRunAnswer,
  TwoWayRunBody,
  VerifyAnswer,
  WireRunRecord,
} from '../../functions/src/ops/schemas.ts';

export { MIRRORS, type MirrorName };

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

type Query = Readonly<Record<string, string | number | undefined>>;

/** The operators' API as this page calls it: always of its own origin, which rewrites `/api/**` to the function. */
export const makeApi = (idToken: () => Promise<string>) => {
  const call = async <T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> => {
    const authorization = `Bearer ${await idToken()}`;
    const response = await fetch(`/api${path}`, {
      method,
      headers: { authorization, ...(body && { 'content-type': 'application/json' }) },
      cache: 'no-store',
      ...(body && { body: JSON.stringify(body) }),
    }).catch(() => {
      throw new ApiProblem({ code: 'no_answer', status: 0, detail: '' });
    });
    if (!response.ok) throw await toProblem(response);
    return (await response.json()) as T;
  };
  const get = <T>(path: string, query: Query = {}) => call<T>('GET', `${path}${toSearch(query)}`);
  const post = <T>(path: string, body: object) => call<T>('POST', path, body);
  const id = encodeURIComponent;
  return {
    status: () => get<StatusAnswer>('/status'),
    series: (days: number) => get<SeriesAnswer>('/series', { days }),
    runs: (query: Query) => get<RunsPage>('/runs', query),
    run: (runId: string) => get<RunAnswer>(`/runs/${id(runId)}`),
    groups: (runId: string) => get<RunGroups>(`/runs/${id(runId)}/groups`),
    people: (runId: string, page: number) => get<RunPeople>(`/runs/${id(runId)}/people`, { page }),
    pauses: (mirror: MirrorName) => get<PausesAnswer>(`/mirrors/${mirror}/pauses`),
    startRun: (body: StartRunBody) => post<StartedRun>('/runs', body),
    versions: () => get<RosterVersions>('/roster/versions'),
    rollback: (body: RollbackBody) => post<StartedRun>('/roster/rollback', body),
    verify: () => post<VerifyAnswer>('/verify', {}),
    roll: (body: RollBody) => post<RollAnswer>('/roll', body),
    compareRolls: (body: CompareBody) => post<CompareAnswer>('/roll/compare', body),
    frozenRolls: () => get<{ rolls: FrozenRollAnswer[] }>('/rolls'),
    freezeRoll: (body: FreezeBody) => post<FrozenRollAnswer>('/rolls', body),
    pause: (mirror: MirrorName, reason: string) => post<PauseAnswer>(`/mirrors/${mirror}/pause`, { reason }),
    resume: (mirror: MirrorName, reason: string) =>
      post<PauseAnswer>(`/mirrors/${mirror}/resume`, { reason }),
    registryWord: (body: RegistryWordBody) => post<StartedRun>('/portal/registry-word', body),
    syncMember: (kennitala: string, dryRun: boolean) =>
      post<SyncMemberAnswer>('/members/sync', { kennitala, dryRun }),
    sweep: (body: TwoWayRunBody) => post<TwoWayRunAnswer>('/two-way/runs', body),
    explain: (kennitala: string) => post<ExplainAnswer>('/explain', { kennitala }),
    queue: (query: Query) => get<QueuePage>('/queue', query),
    queueItem: (item: string) => get<{ item: QueueItemDetail }>(`/queue/${id(item)}`),
    retry: (item: string, reason: string) => post<RetryAnswer>(`/queue/${id(item)}/retry`, { reason }),
    giveUp: (item: string, reason: string) => post<QueueActionAnswer>(`/queue/${id(item)}/fail`, { reason }),
    conflicts: (query: Query) => get<ConflictsPage>('/conflicts', query),
    conflict: (conflict: string) => get<{ conflict: ConflictDetail }>(`/conflicts/${id(conflict)}`),
    resolve: (conflict: string, body: ResolveBody) =>
      post<ResolveAnswer>(`/conflicts/${id(conflict)}/resolve`, body),
  };
};

export type Api = ReturnType<typeof makeApi>;

const toSearch = (query: Query): string => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  return search.size === 0 ? '' : `?${search}`;
};
