import type { IncomingHttpHeaders } from 'node:http';

/**
 * Adds what Cloud Scheduler sends with a job's request. `X-CloudScheduler-ScheduleTime` is when the run was due:
 * functions dedupe on it, so a caller who imitates a duplicate delivery gives the same time twice.
 */
export function addScheduleHeaders(
  headers: IncomingHttpHeaders,
  job: { readonly name: string; readonly region: string; readonly now: Date },
): void {
  headers['x-cloudscheduler'] = 'true';
  headers['x-cloudscheduler-jobname'] ??= `firebase-schedule-${job.name}-${job.region}`;
  // Cloud Scheduler's times have no fraction of a second.
  headers['x-cloudscheduler-scheduletime'] ??= job.now.toISOString().replace(/\.\d{3}Z$/, 'Z');
  headers['user-agent'] = 'Google-Cloud-Scheduler';
}
