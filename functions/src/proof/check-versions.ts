import { type Finding, type StoredRecord, timeOf } from './check-record.ts';

/**
 * After which the bucket's lifecycle deletes a replaced version of the list, whichever comes first. Days: a year and a month, so
 * that the roll of any day of a year can be told, and no more, since each version holds every member. Versions: each joining and
 * leaving makes one, which is 400 days of some ten thousand members; no larger party fills the bucket (docs/decisions/0051).
 */
export const VERSIONS_KEPT = 2_000;
export const DAYS_KEPT = 400;
const DAY_MS = 86_400_000;

/** A kept version of the list, with what was read of it now. */
export interface ReadVersion {
  readonly generation: string;
  readonly publishedAt: Date;
  readonly runId: string | null;
  /** Of its metadata. */
  readonly sha256: string | null;
  /** Of its bytes; null: it was gone when they were asked for. */
  readonly bytesSha256: string | null;
}

interface RunFacts {
  readonly where: string;
  readonly generation: string | null;
  readonly sha256: string | null;
  readonly isPublished: boolean;
  readonly at: number;
}

/** Collects what the records of the roster say of the list, and then compares the kept versions with it. */
export const makeVersionCheck = (now: Date) => {
  const runs = new Map<string, RunFacts>();
  const erasures: number[] = [];
  let since = Number.POSITIVE_INFINITY;

  const take = ({ collection, id, data }: StoredRecord): void => {
    if (!Array.isArray(data['chain'])) return;
    if (collection === 'operator_actions' && data['action'] === 'erase') erasures.push(timeOf(data['at']));
    if (collection !== 'sync_audit' || data['mirror'] !== 'roster') return;
    const at = timeOf(data['timestamp']);
    since = Math.min(since, at);
    runs.set(id, {
      where: `${collection}/${id}`,
      generation: textOf(data['objectGeneration']),
      sha256: textOf(data['sha256']),
      isPublished: data['outcome'] === 'published',
      at,
    });
  };

  /**
   * @param versions all that the bucket kept before the records were read, the published one among them
   * @param after what it kept afterwards
   */
  const finish = (
    versions: readonly ReadVersion[],
    after: readonly Pick<ReadVersion, 'generation' | 'publishedAt'>[],
  ): { findings: Finding[]; older: number } => {
    const findings: Finding[] = [];
    let older = 0;
    const find = (kind: Finding['kind'], generation: string, why: string): void => {
      findings.push({ kind, where: `version ${generation}`, link: null, why });
    };
    const byGeneration = new Map<string, RunFacts[]>();
    for (const run of runs.values()) {
      if (run.generation === null) continue;
      byGeneration.set(run.generation, [...(byGeneration.get(run.generation) ?? []), run]);
    }
    for (const { generation, publishedAt, runId, sha256, bytesSha256 } of versions) {
      if (bytesSha256 === null) continue;
      if (sha256 !== null && sha256 !== bytesSha256) {
        find('altered', generation, 'its bytes are not those that its metadata names');
      }
      const told = byGeneration.get(generation) ?? [];
      const wrong = told.find((run) => run.sha256 !== null && run.sha256 !== bytesSha256);
      if (wrong !== undefined) find('altered', generation, `${wrong.where} recorded another list`);
      // A run that died after the upload: its record has the plan, and nobody wrote the generation.
      const planned = runId === null ? undefined : runs.get(runId);
      const isPlanned = planned !== undefined && planned.sha256 === bytesSha256;
      if (told.length > 0 || isPlanned) continue;
      if (publishedAt.getTime() < since) older += 1;
      else find('inserted', generation, 'no record says that a run published it');
    }
    const kept = new Set(after.map((version) => version.generation));
    for (const { where, generation, isPublished, at } of runs.values()) {
      if (generation === null || !isPublished || kept.has(generation)) continue;
      const newer = after.map(({ publishedAt }) => publishedAt.getTime()).filter((time) => time > at);
      const replaced = Math.min(...newer);
      const mayBeGone =
        newer.length >= VERSIONS_KEPT ||
        now.getTime() - replaced >= DAYS_KEPT * DAY_MS ||
        // An erasure deletes older versions that have the person.
        erasures.some((time) => time > at);
      if (!mayBeGone) find('missing', generation, `${where} published it, and the bucket does not keep it`);
    }
    return { findings, older };
  };

  return { take, finish };
};

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
