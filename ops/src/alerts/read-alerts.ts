import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ROOT } from '../deploy/root.ts';

/** Of a log-based metric (`LogMetric` of the Cloud Logging API), what is relied on here. */
export const logMetric = z.strictObject({
  name: z.string().regex(/^ekklesia_[a-z_]+$/),
  description: z.string().min(1),
  filter: z.string().min(1),
  metricDescriptor: z.strictObject({
    metricKind: z.literal('DELTA'),
    valueType: z.literal('INT64'),
    unit: z.literal('1'),
    labels: z
      .array(z.strictObject({ key: z.string(), valueType: z.literal('STRING'), description: z.string() }))
      .default([]),
  }),
  labelExtractors: z.record(z.string(), z.string().regex(/^EXTRACT\(.+\)$/)).default({}),
});

const seconds = z.string().regex(/^\d+s$/);
const threshold = z.strictObject({
  filter: z.string(),
  aggregations: z.array(
    z.strictObject({
      alignmentPeriod: seconds,
      perSeriesAligner: z.literal('ALIGN_DELTA'),
      crossSeriesReducer: z.literal('REDUCE_SUM'),
      groupByFields: z.array(z.string()).default([]),
    }),
  ),
  comparison: z.literal('COMPARISON_GT'),
  thresholdValue: z.number(),
  duration: seconds,
  trigger: z.strictObject({ count: z.literal(1) }),
});
const query = z.strictObject({
  query: z.string(),
  duration: seconds,
  evaluationInterval: seconds,
  disableMetricValidation: z.literal(true),
});

/** An `AlertPolicy` of the Cloud Monitoring API. `runbook` is the anchor of a heading of docs/runbook.md. */
export const alertPolicy = z.strictObject({
  displayName: z.string().min(1),
  severity: z.enum(['CRITICAL', 'ERROR', 'WARNING']),
  enabled: z.literal(true),
  combiner: z.literal('OR'),
  userLabels: z.strictObject({
    ekklesia_alert: z.string(),
    runbook: z.string().regex(/^[a-z0-9_-]{1,63}$/),
  }),
  conditions: z
    .array(
      z.union([
        z.strictObject({ displayName: z.string(), conditionThreshold: threshold }),
        z.strictObject({ displayName: z.string(), conditionPrometheusQueryLanguage: query }),
      ]),
    )
    .min(1),
  alertStrategy: z.strictObject({ autoClose: seconds }),
  documentation: z.strictObject({
    mimeType: z.literal('text/markdown'),
    subject: z.string(),
    content: z.string().min(1),
  }),
});

export interface FromFile<T> {
  /** From the repository's folder. */
  readonly file: string;
  readonly content: T;
}
export type LogMetric = z.output<typeof logMetric>;
export type AlertPolicy = z.output<typeof alertPolicy>;

export interface Alerts {
  readonly metrics: readonly FromFile<LogMetric>[];
  readonly policies: readonly FromFile<AlertPolicy>[];
}

/** Every metric and policy of `ops/alerts`, in the order of their names. Throws an Error that names the file that is wrong. */
export const readAlerts = async (): Promise<Alerts> => ({
  metrics: await readFolder('ops/alerts/metrics', logMetric),
  policies: await readFolder('ops/alerts', alertPolicy),
});

const readFolder = async <T>(folder: string, schema: z.ZodType<T>): Promise<FromFile<T>[]> => {
  const names = (await readdir(join(ROOT, folder))).filter((name) => name.endsWith('.yaml')).sort();
  return Promise.all(
    names.map(async (name) => {
      const file = `${folder}/${name}`;
      const read = schema.safeParse(parse(await readFile(join(ROOT, file), 'utf8')));
      if (!read.success) throw new Error(`${file}: ${z.prettifyError(read.error)}`);
      return { file, content: read.data };
    }),
  );
};
