import { statusAnswer } from '../../../../functions/src/ops/schemas/status.ts';
import { REGION } from '../places.ts';
import { bad, type Check, type DoctorContext, ok } from './check.ts';

const CALL_LIMIT_MS = 20_000;

/** The operators' API takes this operator and knows its state. */
export const checkApi: Check<DoctorContext> = async ({ api, commandLine }) => {
  const { healthy } = await api.get('/status', statusAnswer);
  return [
    healthy
      ? ok('answers, and all is well')
      : bad('answers, and something is not well', commandLine('status')),
  ];
};

/** The portal holds no version that the registry has not reached: those members would stay as they are. */
export const checkVersions: Check<DoctorContext> = async ({ api, commandLine }) => {
  const { portal } = await api.get('/status', statusAnswer);
  const members = portal.aheadOfRegistry;
  return [
    members === 0
      ? ok('no member is ahead of the registry')
      : bad(
          `${members} members hold a version ahead of the registry’s`,
          commandLine('registry-word --all --dry-run'),
        ),
  ];
};

/** The webhook answers the internet, and believes nobody who has not signed. */
export const checkWebhook: Check<DoctorContext> = async ({ webhookUrl, project }) => {
  const answer = await fetch(await webhookUrl(), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
    redirect: 'manual',
    signal: AbortSignal.timeout(CALL_LIMIT_MS),
  });
  await answer.body?.cancel();
  if (answer.status === 401) return [ok('is reachable and refuses an unsigned call')];
  return [
    answer.status < 300
      ? bad(
          `took an unsigned call (${answer.status})`,
          'stop the registry sending, roll back: npm run rollback-deploy',
        )
      : bad(
          `answered an unsigned call with ${answer.status}, not 401`,
          project === null
            ? 'npm start shows its log'
            : `403: its invoker must be public; else its log: gcloud functions logs read syncFromDjango --region ${REGION} --project ${project}`,
        ),
  ];
};
