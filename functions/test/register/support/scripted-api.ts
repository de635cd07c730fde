import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { makeApp } from '../../../src/http/app.ts';
import { SyncError } from '../../../src/lib/errors.ts';
import {
  REGISTER_DOCUMENT,
  type RegisterApiOptions,
  registerRoutes,
} from '../../../src/register/api/routes.ts';
import type { RegisterReader, SyncLogEntry } from '../../../src/register/ports.ts';
import type { Body } from '../../support/api-stack.ts';
import { makeKennitalas } from '../../support/kennitalas.ts';

export const NOW = new Date('2026-11-20T10:00:00Z');
export const PEOPLE = makeKennitalas(1_001, 70_000);
export const [ONE, TWO] = PEOPLE as [Kennitala, Kennitala];
export const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1_000);

export const entry = (id: number, more: Partial<SyncLogEntry> = {}): SyncLogEntry => ({
  id,
  sync_type: 'membership',
  sync_timestamp: ago(100),
  members_added: 1,
  members_removed: 2,
  members_verified: 3,
  error_count: 4,
  status: 'success',
  details: { run: `run-${id}` },
  ...more,
});
export const wireEntry = (id: number, more: object = {}) => ({
  ...entry(id),
  sync_timestamp: ago(100).toISOString(),
  ...more,
});
export const report = (record: object, more: object = {}) =>
  ({
    record: {
      runId: 'run-1',
      mirror: 'register',
      status: 'success',
      outcome: 'published',
      memberCount: 1,
      planId: null,
      changes: null,
      ...record,
    },
    forecast: null,
    samples: null,
    ...more,
  }) as never;

type Given = { -readonly [Option in keyof RegisterApiOptions]?: RegisterApiOptions[Option] };

/** The register's routes over features that answer what the test says, and note what they were asked and by whom. */
export const makeScriptedApi = () => {
  const asked: unknown[][] = [];
  const who: string[] = [];
  const given: Given = {};
  const noting =
    <T>(what: string, answer: T) =>
    async (...query: readonly unknown[]): Promise<T> => {
      asked.push([what, ...query]);
      return answer;
    };
  const reader: RegisterReader = {
    readSchema: async () => ({ version: 4, needed: 4 }),
    readStatus: noting('status', {
      lastRun: null,
      lastSuccess: null,
      active: 5,
      inactive: 6,
      waitingNotifications: 7,
    }),
    readLogs: noting('logs', []),
    readEligibility: noting('eligibility', { members: [], verifiedAt: null }),
    readChanges: noting('changes', []),
  };
  const callerOf = (name: string) => async () => {
    who.push(name);
    return { kind: 'person', id: name } as const;
  };
  const send = async (path: string, body?: unknown): Promise<{ status: number; body: Body }> => {
    const routes = registerRoutes({
      reader,
      run: noting('run', report({})),
      authorizeAdmin: callerOf('admin'),
      authorizeService: callerOf('service'),
      checkRegistry: async () => undefined,
      referTo: (kennitala) => `m_${PEOPLE.indexOf(kennitala)}`,
      rollAt: async () => {
        throw new SyncError('roll_unknown', 'Nothing was published then.');
      },
      now: () => NOW,
      abandonedAfterMs: 150_000,
      ...given,
    });
    const app = makeApp(routes, {
      authorize: callerOf('nobody'),
      log: () => undefined,
      document: REGISTER_DOCUMENT,
    });
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await app.fetch(new Request(`http://api.test${path}`, init));
    return { status: response.status, body: await response.json() };
  };
  return { asked, who, given, reader, send };
};
export type ScriptedApi = ReturnType<typeof makeScriptedApi>;
