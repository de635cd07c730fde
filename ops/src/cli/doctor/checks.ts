import { checkBucket } from './bucket.ts';
import type { Check, DoctorContext, ProjectContext } from './check.ts';
import { checkConfiguration } from './configuration.ts';
import { checkFirestore } from './firestore.ts';
import { checkIam } from './iam.ts';
import { checkApi, checkVersions, checkWebhook } from './reachable.ts';
import { checkRegistry } from './registry.ts';
import { checkSchedules } from './schedules.ts';
import { checkSecrets } from './secrets.ts';

/** What can be looked at wherever the functions run. */
export const HTTP_CHECKS: Readonly<Record<string, Check<DoctorContext>>> = {
  api: checkApi,
  versions: checkVersions,
  webhook: checkWebhook,
};

/** What needs a project of Google Cloud. */
export const PROJECT_CHECKS: Readonly<Record<string, Check<ProjectContext>>> = {
  configuration: checkConfiguration,
  secrets: checkSecrets,
  registry: checkRegistry,
  bucket: checkBucket,
  firestore: checkFirestore,
  schedules: checkSchedules,
  iam: checkIam,
};
