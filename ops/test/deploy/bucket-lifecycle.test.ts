import { describe, expect, it } from 'vitest';
import { ROLLS_PREFIX } from '../../../functions/src/adapters/storage/frozen-rolls.ts';
import { bucketResource, planBucket, rulesFor } from '../../src/deploy/bucket-lifecycle.ts';
import { RIGHT_BUCKET } from './ready-project.ts';

const OBJECT = 'kennitalas.txt';
const plan = (bucket: object) => planBucket(bucketResource.parse(bucket), OBJECT);

describe('the bucket', () => {
  it('is left alone when it is right, whatever the order of keys and rules', () => {
    const rule = rulesFor(OBJECT)
      .map((one) => Object.fromEntries(Object.entries(one).reverse()))
      .reverse();
    expect(plan({ ...RIGHT_BUCKET, lifecycle: { rule } })).toEqual({
      faults: [],
      flags: [],
      lifecycle: null,
    });
  });

  it.each([
    ['versioning', { versioning: { enabled: false } }, '--versioning'],
    [
      'uniform access',
      { iamConfiguration: { publicAccessPrevention: 'enforced' } },
      '--uniform-bucket-level-access',
    ],
    [
      'public access prevention',
      {
        iamConfiguration: {
          uniformBucketLevelAccess: { enabled: true },
          publicAccessPrevention: 'inherited',
        },
      },
      '--public-access-prevention',
    ],
  ])('gets %s', (_title, wrong, flag) => {
    const { flags, lifecycle, faults } = plan({ ...RIGHT_BUCKET, ...wrong });
    expect(flags).toEqual([flag]);
    expect(lifecycle).toBeNull();
    expect(faults).toHaveLength(1);
  });

  it('loses an older limit of the list, and keeps the rules of others', () => {
    const older = { action: { type: 'Delete' }, condition: { numNewerVersions: 5, matchesPrefix: [OBJECT] } };
    const others = { action: { type: 'Delete' }, condition: { age: 30, matchesPrefix: ['exports/'] } };
    const { lifecycle } = plan({ ...RIGHT_BUCKET, lifecycle: { rule: [older, others] } });
    expect(lifecycle).toEqual([others, ...rulesFor(OBJECT)]);
  });

  it('never deletes the published list: both limits are of replaced versions', () => {
    const aboutList = rulesFor(OBJECT).filter((rule) => JSON.stringify(rule).includes(`"${OBJECT}"`));
    expect(aboutList).toHaveLength(2);
    for (const { condition } of aboutList) {
      const limits = Object.keys(condition as object).filter((key) => key !== 'matchesPrefix');
      expect(['numNewerVersions', 'daysSinceNoncurrentTime']).toEqual(expect.arrayContaining(limits));
      expect(limits).toHaveLength(1);
    }
  });

  it('deletes a frozen roll when its day is over, and by nothing else', () => {
    const name = `${ROLLS_PREFIX}board-2026.txt`;
    const aboutRolls = rulesFor(OBJECT).filter(({ condition }) =>
      (condition as { matchesPrefix: string[] }).matchesPrefix.some((prefix) => name.startsWith(prefix)),
    );
    expect(aboutRolls).toEqual([
      { action: { type: 'Delete' }, condition: { daysSinceCustomTime: 1, matchesPrefix: [ROLLS_PREFIX] } },
    ]);
  });
});
