import { glob, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { MIRRORS } from '../../../functions/src/mirror/mirror.ts';
import { type AlertPolicy, type Alerts, readAlerts } from '../../src/alerts/read-alerts.ts';
import { serviceOf } from '../../src/deploy/deployed-functions.ts';
import { ROOT } from '../../src/deploy/root.ts';
import { readRunbookAnchors } from './runbook-anchors.ts';

let alerts: Alerts;
let source: string;

beforeAll(async () => {
  alerts = await readAlerts();
  const files = await Array.fromAsync(glob('functions/src/**/*.ts', { cwd: ROOT }));
  source = (await Promise.all(files.map((file) => readFile(join(ROOT, file), 'utf8')))).join('\n');
});

/** All that a policy looks at: filters and queries. */
const lookOf = ({ conditions }: AlertPolicy): string =>
  conditions
    .map((condition) =>
      'conditionThreshold' in condition
        ? condition.conditionThreshold.filter
        : condition.conditionPrometheusQueryLanguage.query,
    )
    .join('\n');
const metricsIn = (text: string): string[] => [
  ...new Set(
    Array.from(
      text.matchAll(/logging(?:\.googleapis\.com\/user\/|_googleapis_com:user_)(\w+)/g),
      ([, name]) => name ?? '',
    ),
  ),
];
const metricNamed = (name: string) => alerts.metrics.find(({ content }) => content.name === name)?.content;

describe('every alert', () => {
  it('names a section of the runbook that there is', async () => {
    const anchors = await readRunbookAnchors();
    const missing = alerts.policies
      .map(({ content }) => content.userLabels.runbook)
      .filter((anchor) => !anchors.has(anchor));
    expect([...new Set(missing)]).toEqual([]);
  });

  it('has the name of its file, a title of its own, and the same section in its text', () => {
    for (const { file, content } of alerts.policies) {
      expect(content.userLabels.ekklesia_alert).toBe(basename(file, '.yaml'));
      expect(content.documentation.content).toContain(`docs/runbook.md#${content.userLabels.runbook}\n`);
    }
    const titles = alerts.policies.map(({ content }) => content.displayName);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it('looks at metrics that are made here, by labels that they have', () => {
    for (const { file, content } of alerts.policies) {
      for (const condition of content.conditions) {
        const text = JSON.stringify(condition);
        const names = metricsIn(text);
        if (names.length === 0) expect(text, file).toContain('run.googleapis.com/request_count');
        for (const name of names) {
          const labels = metricNamed(name)?.metricDescriptor.labels.map(({ key }) => key);
          expect(labels, `${file}: ${name}`).toBeDefined();
          const used = Array.from(
            text.matchAll(/metric\.labels?\.(\w+)|[{,](mirror|code)=\\"/g),
            (found) => found[1] ?? found[2],
          );
          expect(labels, file).toEqual(expect.arrayContaining(used));
        }
      }
    }
  });

  it('looks back no further than a day, which is as far as Cloud Monitoring goes', () => {
    for (const { content } of alerts.policies) {
      for (const [, hours] of lookOf(content).matchAll(/\[(\d+)h\]/g)) expect(Number(hours)).toBeLessThan(24);
      for (const condition of content.conditions) {
        if (!('conditionThreshold' in condition)) continue;
        for (const { alignmentPeriod } of condition.conditionThreshold.aggregations) {
          expect(Number.parseInt(alignmentPeriod, 10)).toBeLessThanOrEqual(86_400);
        }
      }
    }
  });
});

it.each(MIRRORS)('the %s has an alert of its own for when it is overdue', (mirror) => {
  const policies = alerts.policies.filter(({ content }) =>
    lookOf(content).includes(`code="mirror_overdue" AND metric.labels.mirror="${mirror}"`),
  );
  expect(policies).toHaveLength(1);
});

describe('every metric', () => {
  it('is looked at by an alert', () => {
    const used = new Set(alerts.policies.flatMap(({ content }) => metricsIn(lookOf(content))));
    for (const { content } of alerts.metrics) {
      if (content.name === 'ekklesia_run_completed') continue;
      expect([...used]).toContain(content.name);
    }
  });

  it('counts entries that the functions write, with labels from fields that they have', () => {
    for (const { file, content } of alerts.metrics) {
      const events = Array.from(
        content.filter.matchAll(/"([a-z]+(?:_[a-z]+)+)"/g),
        ([, event]) => event ?? '',
      ).filter((event) => !['cloud_run_revision', 'cloud_scheduler_job'].includes(event));
      if (!content.filter.includes('cloud_scheduler_job')) expect(events, file).not.toEqual([]);
      for (const event of events) expect(source, file).toContain(`'${event}'`);
      expect(Object.keys(content.labelExtractors).sort(), file).toEqual(
        content.metricDescriptor.labels.map(({ key }) => key).sort(),
      );
    }
  });

  it('has no label that could name a member', () => {
    const keys = alerts.metrics.flatMap(({ content }) =>
      content.metricDescriptor.labels.map(({ key }) => key),
    );
    expect([...new Set(keys)].sort()).toEqual(['code', 'event', 'job', 'mirror', 'outcome']);
  });
});

describe('an alert is raised when', () => {
  it.each([
    ['a run failed', 'run-failed', 'ekklesia_run_failed'],
    ['a guard tripped', 'guard-tripped', 'ekklesia_run_blocked'],
    [
      'there was no good roster for 8 days',
      'roster-overdue',
      'code="mirror_overdue" AND metric.labels.mirror="roster"',
    ],
    [
      'there was no reconcile for 2 days',
      'portal-overdue',
      'code="mirror_overdue" AND metric.labels.mirror="portal"',
    ],
    ['there was no register sync for 3 hours', 'register-overdue', 'mirror="register"}[3h]'],
    ['dead letters are older than a day', 'dead-letters', 'code="dead_letters_old"'],
    ['open conflicts are older than a day', 'conflicts', 'code="conflicts_old"'],
    ['events were missed', 'missed-events', 'ekklesia_missed_events'],
    ['the webhook answers 401', 'webhook-refused', 'response_code="401"'],
    ['the webhook answers 5xx', 'webhook-errors', 'response_code_class="5xx"'],
    ['a mirror has been paused for a week', 'mirror-paused', 'code="mirror_paused_too_long"'],
    ['the record is not as it was written', 'chain-broken', 'code="chain_broken"'],
    ['what watches over absence is absent itself', 'watch-silent', 'ekklesia_watched'],
  ])('%s', (_title, alert, look) => {
    const policy = alerts.policies.find(({ content }) => content.userLabels.ekklesia_alert === alert);
    expect(policy && lookOf(policy.content)).toContain(look);
  });

  it('watchMirrors finds anything at all', async () => {
    const watch = await readFile(join(ROOT, 'functions/src/ops/ops-logs.ts'), 'utf8');
    const [, union = ''] = /type ConcernCode =([^;]+);/.exec(watch) ?? [];
    const codes = Array.from(union.matchAll(/'(\w+)'/g), ([, code]) => code);
    expect(codes.length).toBeGreaterThan(3);
    const looks = alerts.policies.map(({ content }) => lookOf(content)).join('\n');
    for (const code of codes) expect(looks).toContain(`metric.labels.code="${code}"`);
  });

  it('the webhook is meant, by the name of its service', () => {
    const policy = alerts.policies.find(
      ({ content }) => content.userLabels.ekklesia_alert === 'webhook-errors',
    );
    expect(policy && lookOf(policy.content)).toContain(`service_name="${serviceOf('syncFromDjango')}"`);
  });
});

it('silence raises an alert also where nothing was ever written', () => {
  const policy = alerts.policies.find(({ content }) => content.userLabels.ekklesia_alert === 'watch-silent');
  expect(policy && lookOf(policy.content)).toMatch(/\bor vector\(0\)\) < 1/);
});
