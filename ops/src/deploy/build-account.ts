import { z } from 'zod';
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
  // What a role of one's own allows is not looked at.
  [/^(?!roles\/)/],
];

export interface BuildAccount {
  readonly email: string;
  readonly mayBuild: boolean;
}

const policy = z.object({
  bindings: z.array(z.object({ role: z.string(), members: z.array(z.string()) })).default([]),
});

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
  const { bindings } = readJson(policy, text, "the project's roles");
  const held = bindings
    .filter(({ members }) => members.includes(`serviceAccount:${email}`))
    .map(({ role }) => role);
  return {
    email,
    mayBuild: ENOUGH.some((roles) => roles.every((one) => held.some((role) => one.test(role)))),
  };
};

/** Arguments of `gcloud` that let the account build. */
export const buildGrant = (email: string, project: string): readonly string[] => [
  'projects',
  'add-iam-policy-binding',
  project,
  `--member=serviceAccount:${email}`,
  `--role=${BUILD_ROLE}`,
  '--condition=None',
  '--format=none',
];
