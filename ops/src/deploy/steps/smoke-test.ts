import { startedRun, statusAnswer } from '../../../../functions/src/ops/schemas.ts';
import type { DeployContext } from '../context.ts';
import { functionsUrl } from '../deployed-functions.ts';
import type { Step } from '../run-steps.ts';

/** A dry run of the largest mirror reads every member. */
const RUN_LIMIT_MS = 1_800_000;
const CALL_LIMIT_MS = 60_000;

/** The new functions answer, refuse whom they should, and can plan a run of each mirror. Nothing is changed by it. */
export const smokeTest = (context: DeployContext): Step => ({
  name: 'smoke test',
  remedy:
    'Everything is deployed, but it does not work as it should. Look at the log (docs/runbook.md, "Error codes"); if that does not help at once: npm run rollback-deploy.',
  run: async () => {
    if (context.options.dryRun) return { state: 'skipped', notes: ['the functions would be called'] };
    const notes = [await refusesUnsigned(context)];
    const call = makeCall(context, await readToken(context));
    const status = statusAnswer.parse(await call('GET', '/opsApi/status', CALL_LIMIT_MS));
    notes.push(
      `opsApi answers; ${status.healthy ? 'all is healthy' : 'not all is healthy: npm run ops -- status'}`,
    );
    if (
      context.functions.some(({ name }) => name === 'membershipSync') &&
      (await context.settings()).hasRegister
    ) {
      await call('GET', '/membershipSync/health', CALL_LIMIT_MS);
      notes.push('membershipSync answers');
    }
    for (const { mirror } of status.mirrors.filter(({ healthy }) => healthy !== null)) {
      const { run } = startedRun.parse(
        await call('POST', '/opsApi/runs', RUN_LIMIT_MS, { mirror, dryRun: true }),
      );
      if (run.outcome !== 'dry-run') throw new Error(`The dry run of the ${mirror} ended ${run.outcome}.`);
      const { added = 0, removed = 0, updated = 0 } = run.changes ?? {};
      const verdict = run.guard?.tripped ? '; the guard would refuse it: look before the next run' : '';
      notes.push(`${mirror}: a run would add ${added}, remove ${removed}, update ${updated}${verdict}`);
    }
    return { state: 'checked', notes };
  },
});

const refusesUnsigned = async ({ options }: DeployContext): Promise<string> => {
  const answer = await fetch(`${options.url}/syncFromDjango`, {
    method: 'POST',
    body: '{}',
    signal: AbortSignal.timeout(CALL_LIMIT_MS),
  });
  await answer.body?.cancel();
  if (answer.status !== 401) throw new Error(`An unsigned webhook was answered ${answer.status}, not 401.`);
  return 'an unsigned webhook is refused';
};

const readToken = async ({ options, settings, shell }: DeployContext): Promise<string> => {
  const { callers } = (await settings()).config;
  const account = options.operatorAccount ?? callers.serviceAccounts[0];
  const audience = callers.audiences[0] ?? `${functionsUrl(options.project)}/runMemberListSync`;
  if (account === undefined) {
    throw new Error('Nobody may call opsApi from here: name a service account in ADMIN_SERVICE_ACCOUNTS.');
  }
  return shell.read('gcloud', [
    'auth',
    'print-identity-token',
    `--impersonate-service-account=${account}`,
    `--audiences=${audience}`,
    '--include-email',
  ]);
};

type Call = (method: 'GET' | 'POST', path: string, limitMs: number, body?: object) => Promise<unknown>;

const makeCall =
  ({ options }: DeployContext, token: string): Call =>
  async (method, path, limitMs, body) => {
    const answer = await fetch(options.url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(limitMs),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${codeIn(text)}`);
    return JSON.parse(text);
  };

/** Of a problem document only its code: the rest may be anything. */
const codeIn = (text: string): string => /"code":\s*"([a-z_]+)"/.exec(text)?.[1] ?? 'no code';
