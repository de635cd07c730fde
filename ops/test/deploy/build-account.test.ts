import { expect, it } from 'vitest';
import { buildGrant, readBuildAccount } from '../../src/deploy/build-account.ts';
import { described } from './gcloud-prints.ts';
import { BUILDER, PROJECT } from './ready-project.ts';

const OTHERS = 'user:somebody@example.is';
const builder = `serviceAccount:${BUILDER}`;

/** A project in which these members have these roles. */
const shellOf = (held: Readonly<Record<string, readonly string[]>>, account = BUILDER) => ({
  read: async (_command: string, args: readonly string[]) =>
    args[0] === 'builds'
      ? account
      : JSON.stringify(
          described('projectPolicy', {
            bindings: Object.entries(held).map(([role, members]) => ({ role, members })),
          }),
        ),
});

it.each<[string, Readonly<Record<string, readonly string[]>>, boolean]>([
  ['no role', {}, false],
  ['roles that others have', { 'roles/editor': [OTHERS] }, false],
  ['what firebase gives it', { 'roles/run.invoker': [builder] }, false],
  ['the role for builds', { 'roles/cloudbuild.builds.builder': [OTHERS, builder] }, true],
  ['what older projects give', { 'roles/editor': [builder] }, true],
  [
    'two of the three parts',
    { 'roles/artifactregistry.writer': [builder], 'roles/logging.logWriter': [builder] },
    false,
  ],
  [
    'the parts one by one',
    {
      'roles/artifactregistry.writer': [builder],
      'roles/logging.logWriter': [builder],
      'roles/storage.objectViewer': [builder],
    },
    true,
  ],
  ['a role of its own, which is not looked into', { 'projects/p/roles/images': [builder] }, true],
])('an account with %s', async (_what, held, mayBuild) => {
  expect(await readBuildAccount(shellOf(held), PROJECT)).toEqual({ email: BUILDER, mayBuild });
});

it('an answer without an account is no account', async () => {
  await expect(readBuildAccount(shellOf({}, ''), PROJECT)).rejects.toThrow('names no account');
});

it('the role is given to this account on the project, whatever conditions others have', () => {
  expect(buildGrant(BUILDER, PROJECT).join(' ')).toBe(
    `projects add-iam-policy-binding ${PROJECT} --member=${builder} --role=roles/cloudbuild.builds.builder --condition=None --format=none`,
  );
});
