import { bucketResource, planBucket } from '../../deploy/bucket-lifecycle.ts';
import { gcloudJson } from '../gcloud.ts';
import { bad, type Check, faultsOr, type ProjectContext } from './check.ts';

/** The list keeps its versions, for as long as a rollback may need them and no longer, and nobody outside reads it. */
export const checkBucket: Check<ProjectContext> = async ({ gcloud, deployment }) => {
  const { bucket, rosterObject } = await deployment.config();
  const place = ['--project', deployment.project];
  const resource = await gcloudJson(
    gcloud,
    ['storage', 'buckets', 'describe', `gs://${bucket}`, '--raw', ...place],
    bucketResource,
  );
  const { faults } = planBucket(resource, rosterObject);
  return faultsOr(
    faults.map((fault) => bad(fault, `npm run deploy -- ${place.join(' ')}`)),
    'versions are kept and limited, and nothing in it is public',
  );
};
