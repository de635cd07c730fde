/** Settings of the functions that make sense here: how to talk to the registry, and what the guard lets through. */
const PASSED_ON =
  /^(DJANGO_AUTH_SCHEME|ALLOW_INSECURE_REGISTRY|ALLOW_LEGACY_WEBHOOK_AUTH|REGISTRY_[A-Z_]+|GUARD_[A-Z_]+)$/;

/**
 * What of a person's environment reaches the functions, by the names of `.env.example`. The rest stays outside: the
 * functions must not meet the credentials of a real project.
 */
export const settingsIn = (environment: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => PASSED_ON.test(entry[0]) && entry[1] !== undefined,
    ),
  );
