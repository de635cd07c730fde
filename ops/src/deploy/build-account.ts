import { iamPolicy } from './iam-table.ts';
import { readJson } from './read-json.ts';
import type { Shell } from './shell.ts';

/** What a build does: fetch the archive, write the image, write its log (https://cloud.google.com/build/docs/securing-builds/configure-user-specified-service-accounts). */
export const BUILD_ROLE = 'roles/cloudbuild.builds.builder';

/** Roles that are enough, each set by itself. */
const ENOUGH: readonly (readonly RegExp[])[] = [
  [/^roles\/(?:cloudbuild\.builds\.builder|editor|owner)$/],
  [
    /^roles\/artifactregistry\.(?:writer|repoAdmin|admin)$/,
    /^roles\/logging\.(?:logWriter|admin)$/,
    /^roles\/storage\.(?:objectViewer|objectUser|objectAdmin|admin)$/,
  ],
];
/** What a role of one's own allows is not looked into. */
const OWN_ROLE = /^(?!roles\/)/;

export interface BuildAccount {
  readonly email: string;
  /** Null: not known, since it has a role of one's own. */
  readonly mayBuild: boolean | null;
}

/**
 * Which account builds the functions' images: in a new project the default compute account, which an organization made since
 * May 2024 gives no role, so that every build fails
 * (https://cloud.google.com/build/docs/cloud-build-service-account-updates). Throws `CommandFailed`.
 */
export const readBuildAccount = async (
  shell: Pick<Shell, 'read'>,
  project: string,
): Promise<BuildAccount> => {
  const email = await shell.read('gcloud', [
    'builds',
    'get-default-service-account',
    `--project=${project}`,
    '--format=value(serviceAccountEmail)',
  ]);
  if (!/^[^/@]+@[^/@]+$/.test(email)) throw new Error(`Cloud Build names no account that builds: ${email}`);
  const text = await shell.read('gcloud', ['projects', 'get-iam-policy', project, '--format=json']);
  const { bindings } = readJson(iamPolicy, text, "the project's roles");
  const held = bindings
    .filter(
      ({ members, condition }) => condition === undefined && members.includes(`serviceAccount:${email}`),
    )
    .map(({ role }) => role);
  const isEnough = ENOUGH.some((roles) => roles.every((one) => held.some((role) => one.test(role))));
  return { email, mayBuild: isEnough || (held.some((role) => OWN_ROLE.test(role)) ? null : false) };
};
