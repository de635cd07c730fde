import { expect, it } from 'vitest';
import { BUILD_ROLE, readBuildAccount } from '../../src/deploy/build-account.ts';
import { projectBinding } from '../../src/deploy/iam-commands.ts';
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

it.each<[string, Readonly<Record<string, readonly string[]>>, boolean | null]>([
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
  ['a role of its own, which is not looked into', { 'projects/p/roles/images': [builder] }, null],
])('an account with %s', async (_what, held, mayBuild) => {
  expect(await readBuildAccount(shellOf(held), PROJECT)).toEqual({ email: BUILDER, mayBuild });
});

it('a role under a condition is none', async () => {
  const condition = { title: 'guest', expression: 'request.time < timestamp("2027-01-01T00:00:00Z")' };
  const bindings = [{ role: BUILD_ROLE, members: [builder], condition }];
  const read = async (_command: string, args: readonly string[]) =>
    args[0] === 'builds' ? BUILDER : JSON.stringify({ bindings });
  expect(await readBuildAccount({ read }, PROJECT)).toEqual({ email: BUILDER, mayBuild: false });
});

it('an answer without an account is no account', async () => {
  await expect(readBuildAccount(shellOf({}, ''), PROJECT)).rejects.toThrow('names no account');
});

it('the role is given to this account on the project, whatever conditions others have', () => {
  expect(projectBinding(PROJECT, BUILDER, BUILD_ROLE).join(' ')).toBe(
    `projects add-iam-policy-binding ${PROJECT} --member=${builder} --role=roles/cloudbuild.builds.builder --condition=None --format=none`,
  );
});
