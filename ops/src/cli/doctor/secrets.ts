import { z } from 'zod';
import { gcloudJson } from '../gcloud.ts';
import { shownAge } from '../text.ts';
import { bad, type Check, type Finding, ok, type ProjectContext } from './check.ts';
import { type UsedSecret, usedSecrets } from './used-secrets.ts';

/** A credential older than this has outlived somebody's job. The rotation of each loses nothing: see the runbook. */
const ROTATE_AFTER_DAYS = 365;
const DAY_SECONDS = 86_400;

const versionList = z.array(
  z.looseObject({ createTime: z.iso.datetime({ offset: true }), state: z.string() }),
);

/** Each secret has an enabled version, and none that is renewed has become old. */
export const checkSecrets: Check<ProjectContext> = async (context) => {
  const used = usedSecrets(await context.deployment.config());
  return Promise.all(used.map((secret) => checkSecret(secret, context)));
};

const checkSecret = async (
  { name, isRenewed }: UsedSecret,
  { gcloud, deployment, now }: ProjectContext,
): Promise<Finding> => {
  const place = ['--project', deployment.project];
  const versions = await gcloudJson(gcloud, ['secrets', 'versions', 'list', name, ...place], versionList);
  const enabled = versions.filter(({ state }) => state.toUpperCase() === 'ENABLED');
  const newest = Math.max(...enabled.map(({ createTime }) => Date.parse(createTime)));
  const add = `gcloud secrets versions add ${name} --data-file=- ${place.join(' ')}`;
  if (enabled.length === 0) return bad(`${name} has no enabled version`, add);
  const ageSeconds = (now.getTime() - newest) / 1_000;
  const text = `${name}: ${enabled.length} enabled, the newest ${shownAge(ageSeconds)} old`;
  return isRenewed && ageSeconds > ROTATE_AFTER_DAYS * DAY_SECONDS
    ? bad(`${text}; ${ROTATE_AFTER_DAYS} d is the limit`, 'rotate it: docs/runbook.md, Secrets')
    : ok(text);
};
