import { z } from 'zod';
import { readJson } from '../deploy/read-json.ts';
import type { Shell } from '../deploy/shell.ts';
import type { PresentAlerts } from './plan-alerts.ts';

const metricList = z.array(z.object({ name: z.string() }));
const policyList = z.array(
  z.object({ name: z.string(), userLabels: z.record(z.string(), z.string()).default({}) }),
);
const channelList = z.array(
  z.object({
    name: z.string(),
    type: z.string(),
    enabled: z.boolean().default(true),
    labels: z.record(z.string(), z.string()).default({}),
  }),
);

/** Throws when a list cannot be read: taking it for empty would create everything twice. */
export const readPresentAlerts = async (
  shell: Pick<Shell, 'read'>,
  project: string,
): Promise<PresentAlerts> => {
  const list = (...what: string[]) =>
    shell.read('gcloud', [...what, 'list', `--project=${project}`, '--format=json']);
  const metrics = readJson(metricList, await list('logging', 'metrics'), 'the metrics');
  const policies = new Map<string, string[]>();
  for (const { name, userLabels } of readJson(
    policyList,
    await list('alpha', 'monitoring', 'policies'),
    'the policies',
  )) {
    const alert = userLabels['ekklesia_alert'];
    if (alert !== undefined) policies.set(alert, [...(policies.get(alert) ?? []), name]);
  }
  return { metrics: new Set(metrics.map(({ name }) => name)), policies };
};

/** The resource name of the channel that sends to an address; null when there is none that is switched on. */
export const tryReadChannel = async (
  shell: Pick<Shell, 'read'>,
  project: string,
  email: string,
): Promise<string | null> => {
  const args = ['beta', 'monitoring', 'channels', 'list', `--project=${project}`, '--format=json'];
  const channels = readJson(channelList, await shell.read('gcloud', args), 'the notification channels');
  const found = channels.find(
    ({ type, enabled, labels }) => type === 'email' && enabled && labels['email_address'] === email,
  );
  return found?.name ?? null;
};
