import { portsWithOffset } from '../../../local/src/ports.ts';
import { type Gcloud, makeGcloud } from './gcloud.ts';
import { OpsError } from './ops-error.ts';
import { apiUrl, defaultAudience, localApiUrl } from './places.ts';
import { quoted } from './text.ts';

export interface TargetOptions {
  readonly local?: boolean | undefined;
  readonly project?: string | undefined;
  readonly url?: string | undefined;
  readonly audience?: string | undefined;
  readonly as?: string | undefined;
  readonly portOffset: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Which installation a command works on. */
export interface Target {
  /** As questions name it: `the local stack`, `project P`. */
  readonly name: string;
  readonly project: string | null;
  /** Set for the local stack. */
  readonly functionsPort: number | null;
  /** Base address of the operators' API. */
  readonly apiUrl: string;
  /** The flags that make another command meet the same target. */
  readonly flags: readonly string[];
  readonly gcloud: Gcloud;
  /** A token that the API believes. Throws OpsError. */
  token(): Promise<string>;
}

/** Where nothing listens, the refusal comes at once: only a stack that is busy is waited for. */
const PROBE_LIMIT_MS = 15_000;

/**
 * What the flags name; else what OPS_PROJECT or OPS_URL name; else the local stack, if it answers.
 * Throws OpsError when there is nothing to work on.
 */
export const findTarget = async (given: TargetOptions, env: Environment): Promise<Target> => {
  if (given.local === true) return makeLocalTarget(given, env);
  const url = given.url ?? (given.project === undefined ? env['OPS_URL'] : undefined);
  const project = given.project ?? env['OPS_PROJECT'];
  if (url || project) return makeRemoteTarget({ ...given, url, project }, env);
  const local = makeLocalTarget(given, env);
  if (await answers(local.apiUrl)) return local;
  throw new OpsError(
    `No local stack answers at ${new URL(local.apiUrl).host}. Start it (npm start), or name a project: --project P`,
  );
};

/** The development sign-in of the local stack gives the token; nothing of it works against production. */
const makeLocalTarget = ({ portOffset }: TargetOptions, env: Environment): Target => {
  const ports = portsWithOffset(portOffset);
  return {
    name: 'the local stack',
    project: null,
    functionsPort: ports.functions,
    apiUrl: localApiUrl(ports.functions),
    flags: portOffset === 0 ? ['--local'] : ['--local', '--port-offset', String(portOffset)],
    gcloud: makeGcloud(env),
    token: async () => {
      const signedIn = await fetch(`http://127.0.0.1:${ports.auth}/_dev/tokens`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ uid: 'local-operator', claims: { roles: ['admin'] } }),
      }).catch(() => null);
      const body: unknown = signedIn?.ok ? await signedIn.json().catch(() => null) : null;
      if (typeof body === 'object' && body !== null && 'idToken' in body) return String(body.idToken);
      throw new OpsError(
        `The local stack's sign-in does not answer at 127.0.0.1:${ports.auth}. Is it up (npm start)?`,
      );
    },
  };
};

const makeRemoteTarget = (given: TargetOptions, env: Environment): Target => {
  const { project = null, url } = given;
  const gcloud = makeGcloud(env);
  const base = url ?? apiUrl(project ?? '');
  assertSafe(base);
  const audience = given.audience ?? (project === null ? null : defaultAudience(project));
  const account = given.as ?? env['OPS_SERVICE_ACCOUNT'];
  return {
    name: project === null ? base : `project ${project}`,
    project,
    functionsPort: null,
    apiUrl: base.replace(/\/+$/, ''),
    flags: [
      ...(project === null ? [] : ['--project', project]),
      ...(url === undefined ? [] : ['--url', quoted(url)]),
      ...(given.audience === undefined ? [] : ['--audience', quoted(given.audience)]),
      ...(given.as === undefined ? [] : ['--as', quoted(given.as)]),
    ],
    gcloud,
    token: async () => {
      if (env['OPS_TOKEN']) return env['OPS_TOKEN'];
      if (audience === null) throw new OpsError('--url without --project needs --audience, or OPS_TOKEN.');
      const asAccount = account ? ['--impersonate-service-account', account, '--include-email'] : [];
      const args = ['auth', 'print-identity-token', ...asAccount, '--audiences', audience];
      return (await gcloud(args).catch(explainPerson)).trim();
    },
  };
};

/** gcloud makes such a token for service accounts alone. */
const explainPerson = (cause: unknown): never => {
  if (!(cause instanceof OpsError) || !cause.message.includes('Invalid account type')) throw cause;
  throw new OpsError(
    'gcloud is signed in as a person, for whom the API has no token: name a service account of ADMIN_SERVICE_ACCOUNTS with --as, or in OPS_SERVICE_ACCOUNT.',
  );
};

/** A token is sent only over TLS, or inside this machine. */
const assertSafe = (address: string): void => {
  const url = URL.parse(address);
  const isLoopback = ['127.0.0.1', 'localhost', '[::1]'].includes(url?.hostname ?? '');
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback)) return;
  throw new OpsError('--url takes an https:// address, such as https://P.web.app/api');
};

const answers = async (url: string): Promise<boolean> => {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(PROBE_LIMIT_MS) });
    await answer.body?.cancel();
    return true;
  } catch {
    return false;
  }
};
