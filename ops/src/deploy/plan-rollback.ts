/** A revision of a function's Cloud Run service. */
export interface Revision {
  readonly name: string;
  readonly createdAt: Date;
  /** It has started at least once and can take requests. */
  readonly isReady: boolean;
}

export interface ServiceRevisions {
  readonly function: string;
  /** Null when several revisions share the requests. */
  readonly serving: string | null;
  readonly revisions: readonly Revision[];
}

export type Move =
  | { readonly kind: 'move'; readonly function: string; readonly to: string }
  /** It serves that revision already. */
  | { readonly kind: 'there'; readonly function: string; readonly to: string }
  /** The last deployment left it alone. */
  | { readonly kind: 'untouched'; readonly function: string }
  /** It was made by the last deployment: there is nothing to go back to. */
  | { readonly kind: 'new'; readonly function: string };

/** A deployment with its repetitions takes less. */
const ONE_DEPLOYMENT_MS = 3_600_000;

/**
 * When the last deployment began: an hour before the newest revision of all, so that functions which it did not touch
 * stay as they are, and a deployment that was repeated after a failure counts once. Null when nothing is deployed.
 * Pure. It looks at what was created, not at what serves, so that rolling back twice goes back once.
 */
export const lastDeploymentBegan = (services: readonly ServiceRevisions[]): Date | null => {
  const times = services.flatMap(({ revisions }) => revisions.map(({ createdAt }) => createdAt.getTime()));
  return times.length === 0 ? null : new Date(Math.max(...times) - ONE_DEPLOYMENT_MS);
};

/** Where each function goes: to its newest revision that works and is older than `before`. Pure. */
export const planRollback = (services: readonly ServiceRevisions[], before: Date): Move[] =>
  services.map(({ function: name, serving, revisions }): Move => {
    const newestFirst = revisions.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
    const wasDeployed = newestFirst.some(({ createdAt }) => createdAt >= before);
    if (!wasDeployed) return { kind: 'untouched', function: name };
    const target = newestFirst.find(({ createdAt, isReady }) => isReady && createdAt < before);
    if (target === undefined) return { kind: 'new', function: name };
    return { kind: target.name === serving ? 'there' : 'move', function: name, to: target.name };
  });
