import { z } from 'zod';
import { ROLLS_PREFIX } from '../../../functions/src/adapters/storage/frozen-rolls.ts';
import { DAYS_KEPT, VERSIONS_KEPT } from '../../../functions/src/proof/check-versions.ts';

/** Of Cloud Storage's bucket resource (`gcloud storage buckets describe --raw`), what is decided here. */
export const bucketResource = z.object({
  versioning: z.object({ enabled: z.boolean() }).optional(),
  lifecycle: z
    .object({ rule: z.array(z.record(z.string(), z.unknown())) })
    .partial()
    .optional(),
  iamConfiguration: z
    .object({
      uniformBucketLevelAccess: z.object({ enabled: z.boolean() }).optional(),
      publicAccessPrevention: z.string().optional(),
    })
    .optional(),
});
export type BucketResource = z.output<typeof bucketResource>;
export type LifecycleRule = Readonly<Record<string, unknown>>;

const conditionOf = (object: string, limit: Readonly<Record<string, number>>): LifecycleRule => ({
  action: { type: 'Delete' },
  condition: { ...limit, matchesPrefix: [object] },
});

/**
 * An older version goes when 2,000 newer ones exist, or 400 days after it was replaced, whichever comes first. Both
 * conditions can hold for replaced versions only, so the published list itself is never deleted. A frozen roll goes when its day
 * is over, and not before.
 */
export const rulesFor = (object: string): readonly LifecycleRule[] => [
  conditionOf(object, { numNewerVersions: VERSIONS_KEPT }),
  conditionOf(object, { daysSinceNoncurrentTime: DAYS_KEPT }),
  // A frozen roll has the last day of its election as its custom time.
  conditionOf(ROLLS_PREFIX, { daysSinceCustomTime: 1 }),
];

export interface BucketPlan {
  readonly faults: readonly string[];
  /** All rules that the bucket should have; null: they are as they should be. Rules about other objects stay. */
  readonly lifecycle: readonly LifecycleRule[] | null;
  readonly flags: readonly string[];
}

/** What is to be changed about a bucket. Pure. */
export const planBucket = (bucket: BucketResource, object: string): BucketPlan => {
  const rules = bucket.lifecycle?.rule ?? [];
  const wanted = rulesFor(object);
  const isEqual = (one: LifecycleRule, other: LifecycleRule) => canonical(one) === canonical(other);
  const ours = rules.filter((rule) => isAbout(rule, object));
  const isRight =
    ours.length === wanted.length && wanted.every((rule) => ours.some((held) => isEqual(rule, held)));
  const lifecycle = isRight ? null : [...rules.filter((rule) => !isAbout(rule, object)), ...wanted];
  const checks: [boolean, string, string][] = [
    [bucket.versioning?.enabled === true, '--versioning', 'versioning is off'],
    [
      bucket.iamConfiguration?.uniformBucketLevelAccess?.enabled === true,
      '--uniform-bucket-level-access',
      'single objects can be shared',
    ],
    [
      bucket.iamConfiguration?.publicAccessPrevention === 'enforced',
      '--public-access-prevention',
      'the bucket could be made public',
    ],
  ];
  const wrong = checks.filter(([isSo]) => !isSo);
  return {
    lifecycle,
    flags: wrong.map(([, flag]) => flag),
    faults: [
      ...wrong.map(([, , fault]) => fault),
      ...(isRight ? [] : ['older versions are not limited as they should']),
    ],
  };
};

const condition = z.object({ condition: z.object({ matchesPrefix: z.array(z.string()) }) });
const isAbout = (rule: LifecycleRule, object: string): boolean => {
  const read = condition.safeParse(rule);
  const prefixes = read.success ? read.data.condition.matchesPrefix : [];
  return prefixes.includes(object) || prefixes.includes(ROLLS_PREFIX);
};

/** Equal for equal content, whatever the order of the keys. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
