import { bad, type Check, type Finding, ok, type ProjectContext, unknown } from './check.ts';

const CALL_LIMIT_MS = 20_000;
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** The registry answers over https and takes the token that the functions read. */
export const checkRegistry: Check<ProjectContext> = async ({ deployment, gcloud, commandLine }) => {
  const { registry } = await deployment.config();
  const url = new URL(`${registry.baseUrl.replace(/\/+$/, '')}/api/sync/status/`);
  if (url.protocol !== 'https:' && !LOOPBACK.has(url.hostname)) {
    return [
      bad(
        'the token and members travel unencrypted: plain http',
        'DJANGO_BASE_URL with https://, then deploy',
      ),
    ];
  }
  const token = await gcloud([
    ...['secrets', 'versions', 'access', 'latest', '--secret', registry.tokenSecret],
    ...['--project', deployment.project],
  ]);
  const authorization = `${registry.authScheme} ${token.trim()}`;
  try {
    const answer = await fetch(url, {
      headers: { authorization, accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(CALL_LIMIT_MS),
    });
    await answer.body?.cancel();
    return [judge(answer.status, url)];
  } catch (cause) {
    return [explainLost(cause, commandLine('plan roster'))];
  }
};

const judge = (status: number, { protocol }: URL): Finding => {
  const over = protocol === 'https:' ? 'https' : 'http inside this machine';
  if (status === 200) return ok(`answers over ${over} and takes the token`);
  if (status === 401 || status === 403) {
    return bad(`refuses the token (${status})`, "rotate the registry's token: docs/runbook.md, Secrets");
  }
  if (status < 500 && status !== 429) {
    return bad(
      `has no sync API there (${status})`,
      'DJANGO_BASE_URL with its path; is the companion app installed?',
    );
  }
  return bad(`is overloaded or broken (${status})`, "look at the registry's own error log");
};

/** Not reached from here is not the same as not reached by the functions; a bad certificate is bad for both. */
const explainLost = (cause: unknown, planCommand: string): Finding => {
  const inner = cause instanceof Error ? cause.cause : undefined;
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : 'no answer';
  return /CERT|TLS|SELF_SIGNED|UNABLE_TO/.test(code)
    ? bad(`its certificate is not valid (${code})`, "renew the registry's certificate")
    : unknown(`cannot be reached from here (${code})`, `let the functions try: ${planCommand}`);
};
