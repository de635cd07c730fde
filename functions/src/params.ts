import { defineBoolean, defineInt, defineString, select } from 'firebase-functions/params';

/** Where everything runs: London, the Google region nearest to Iceland that has all that is used. */
export const REGION = 'europe-west2';

/**
 * The settings that `firebase deploy` asks for or takes from `functions/.env.<project>`. It hands them to the
 * functions as environment values, which `config.ts` reads and checks; this file stays free of that work, since
 * every cold start loads it. Names and defaults are those of `config.ts`, and a test compares them.
 */
export const PARAMS = [
  defineString('DJANGO_BASE_URL', {
    label: 'Registry address',
    description: 'Base URL of the registry, for example https://registry.example.is/felagar',
  }),
  defineString('DJANGO_AUTH_SCHEME', {
    label: 'Registry authorization scheme',
    description: 'The word before the token: Token (Django REST framework) or Bearer',
    default: 'Token',
    input: select(['Token', 'Bearer']),
  }),
  defineString('DJANGO_TOKEN_SECRET', {
    label: 'Secret that holds the registry token',
    default: 'django-api-token',
  }),
  defineString('WEBHOOK_SIGNING_SECRET', {
    label: 'Secret that signs the registry webhooks',
    description: 'Every enabled version is accepted, so that it can be rotated without loss',
    default: 'django-webhook-secret',
  }),
  defineBoolean('ALLOW_LEGACY_WEBHOOK_AUTH', {
    label: 'Accept webhooks of a registry that cannot sign',
    description: 'They prove themselves by a key alone, and are only hints to read the member anew',
    default: false,
  }),
  defineString('LEGACY_KEY_SECRET', { label: 'Secret that holds that key', default: 'sync-api-key' }),
  defineString('MEMBER_REFERENCE_SECRET', {
    label: 'Secret that makes opaque references to members',
    description: 'Changing it makes old log entries impossible to relate to members',
    default: 'member-reference-key',
  }),
  defineString('SYNC_BUCKET', {
    label: 'Bucket of kennitalas.txt',
    description: "Bucket name without gs://. Empty: the project's default bucket",
    default: '',
  }),
  defineString('ROSTER_SELF_CHECK', {
    label: 'What is done when a published list fails its own check',
    description: 'off, alert (an ERROR entry), or rollback (the previous version is restored too)',
    default: 'off',
    input: select(['off', 'alert', 'rollback']),
  }),
  defineBoolean('ALLOW_INSECURE_REGISTRY', {
    label: 'Allow plain http to the registry',
    description: 'Only for a registry on the same private network: tokens and members travel unencrypted',
    default: false,
  }),
  defineInt('REGISTRY_REQUEST_TIMEOUT_SECONDS', { label: 'Time limit of one registry request', default: 30 }),
  defineInt('REGISTRY_FETCH_TIMEOUT_SECONDS', {
    label: 'Time limit of a whole fetch with its retries',
    default: 80,
  }),
  defineInt('REGISTRY_MAX_ANSWER_MIB', { label: 'Largest registry answer, MiB', default: 64 }),
  defineString('ADMIN_SERVICE_ACCOUNTS', {
    label: 'Service accounts that may start a run',
    description: 'E-mail addresses, separated by commas. Empty: only people with the role admin or superuser',
    default: '',
  }),
  defineString('ADMIN_OIDC_AUDIENCES', {
    label: 'Audiences accepted in service account tokens',
    description: "Separated by commas. Empty: the function's own cloudfunctions.net address",
    default: '',
  }),
  defineString('CLOUD_SQL_INSTANCE', {
    label: 'Register: Cloud SQL instance',
    description: 'project:region:instance. Empty: DATABASE_URL, or no register',
    default: '',
  }),
  defineString('CLOUD_SQL_IP_TYPE', {
    label: 'Register: how the instance is reached',
    default: 'PUBLIC',
    input: select(['PUBLIC', 'PRIVATE', 'PSC']),
  }),
  defineString('DATABASE_NAME', { label: 'Register: database', default: 'members' }),
  defineString('DATABASE_USER', {
    label: 'Register: IAM database user',
    description: 'Empty: each function logs in as its own service account',
    default: '',
  }),
  defineString('DATABASE_URL', {
    label: 'Register: database outside Cloud SQL',
    description: 'postgres://user@host:port/database, only without CLOUD_SQL_INSTANCE',
    default: '',
  }),
  defineString('ADMIN_KEY_SECRET', {
    label: "Register: secret of the API's administrators' keys",
    description: 'Every enabled version is accepted, so that it can be rotated without loss',
    default: 'admin-api-key',
  }),
  defineString('REGISTER_API_URL', {
    label: 'Register: address of membershipSync as others see it',
    description: "Empty: the function's own cloudfunctions.net address",
    default: '',
  }),
  defineString('REGISTER_SERVICE_ACCOUNTS', {
    label: 'Register: service accounts of the elections and events services',
    description: 'E-mail addresses, separated by commas',
    default: '',
  }),
  defineString('REGISTER_AUDIENCES', {
    label: 'Register: audiences accepted in their tokens',
    description: 'Separated by commas. Empty: the address of membershipSync',
    default: '',
  }),
  defineString('REGISTER_SUBSCRIBERS', {
    label: 'Register: who is told of changes',
    description:
      'name=https://address, separated by commas; each signs with the secret register-webhook-<name>',
    default: '',
  }),
  defineBoolean('REGISTER_FROM_WEBHOOK', {
    label: 'Let each webhook change the register too',
    description: 'Between the hourly runs, which stay the proof',
    default: false,
  }),
  defineInt('GUARD_REMOVED_PERCENT', { label: 'Guard: removals, % of members', default: 5 }),
  defineInt('GUARD_REMOVED_FLOOR', { label: 'Guard: removals that always pass', default: 10 }),
  defineInt('GUARD_REMOVED_MAX', { label: 'Guard: removals that never pass', default: 500 }),
  defineInt('GUARD_ADDED_PERCENT', { label: 'Guard: additions, % of members', default: 50 }),
  defineInt('GUARD_ADDED_FLOOR', { label: 'Guard: additions that always pass', default: 50 }),
  defineInt('GUARD_CHANGED_PERCENT', { label: 'Guard: changed members, %', default: 50 }),
  defineInt('GUARD_CHANGED_FLOOR', { label: 'Guard: changed members that always pass', default: 50 }),
  defineInt('GUARD_BLANKED_PERCENT', { label: 'Guard: members who lose a field, %', default: 5 }),
  defineInt('GUARD_BLANKED_FLOOR', { label: 'Guard: members who lose a field, always pass', default: 10 }),
  defineInt('GUARD_QUARANTINED_PERCENT', { label: 'Guard: unreadable entries, % of the export', default: 1 }),
  defineInt('GUARD_QUARANTINED_FLOOR', { label: 'Guard: unreadable entries that always pass', default: 5 }),
] as const;
