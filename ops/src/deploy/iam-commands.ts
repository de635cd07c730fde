import { type RetryClock, systemClock, withRetry } from '../../../functions/src/lib/retry.ts';
import type { FunctionEndpoint } from '../../../local/src/functions/endpoint.ts';
import { serviceOf } from './deployed-functions.ts';
import { emailOf, type Grant, type IamTable } from './iam-table.ts';
import { CommandFailed, type Shell } from './shell.ts';

export interface IamPlace {
  readonly project: string;
  readonly region: string;
  readonly bucket: string;
  /** What stands in the project already. */
  readonly present: { readonly accounts: ReadonlySet<string>; readonly functions: ReadonlySet<string> };
  /** The names that a secret of the table has in this project, `*` standing for any ending; none: it is not used here. */
  readonly secretsNamed: (usual: string) => readonly string[];
  readonly isDeployed: (name: FunctionEndpoint['name']) => boolean;
}

export interface IamCommands {
  /** Arguments of `gcloud`, in their order. A binding that is there already is left as it is. */
  readonly commands: readonly (readonly string[])[];
  /** Functions whose callers can be named only once they are deployed. */
  readonly later: readonly string[];
}

/** What makes a project as `docs/iam.md` says. Pure. It takes no right away: `npm run ops -- doctor` finds those that are too many. */
export const planIam = ({ accounts, grants }: IamTable, place: IamPlace): IamCommands => {
  const { project } = place;
  const used = accounts.filter(({ functions }) => functions.some((name) => place.isDeployed(name)));
  const names = new Set(used.map(({ name }) => name));
  const ofUsed = grants.filter(({ account }) => names.has(account));
  const isLater = ({ on }: Grant): boolean => on.kind === 'function' && !place.present.functions.has(on.name);
  return {
    commands: [
      ...used
        .filter(({ name }) => !place.present.accounts.has(emailOf(name, project)))
        .map(({ name, does }) => [
          'iam',
          'service-accounts',
          'create',
          name,
          `--description=${does.replaceAll('`', '')}`,
          `--project=${project}`,
        ]),
      ...ofUsed.filter((grant) => !isLater(grant)).flatMap((grant) => bindingOf(grant, place)),
    ],
    later: ofUsed.filter(isLater).flatMap(({ on }) => (on.kind === 'function' ? [on.name] : [])),
  };
};

/** What a policy says of an account that was made a moment ago: it is known everywhere after a minute or two. */
const NOT_KNOWN_YET = /Service account \S+ does not exist/i;
const PATIENCE = { attempts: 20, baseDelayMs: 15_000, maxDelayMs: 15_000 };

/**
 * Gives the commands one after another, each again while an account is not known yet
 * (https://cloud.google.com/iam/docs/access-change-propagation). Throws `CommandFailed` of the one that fails.
 */
export const applyIam = async (
  { change }: Pick<Shell, 'change'>,
  commands: IamCommands['commands'],
  { say, clock = systemClock }: { readonly say: (line: string) => void; readonly clock?: RetryClock },
): Promise<void> => {
  for (const args of commands) {
    await withRetry(() => change('gcloud', args), {
      policy: PATIENCE,
      isRetryable: (cause) => cause instanceof CommandFailed && NOT_KNOWN_YET.test(cause.output),
      onRetry: () => say('    That account is new, and not known everywhere yet: once more in some seconds.'),
      clock,
    });
  }
};

/** Without it, gcloud asks about conditions as soon as any binding of the policy has one. */
const unconditional = '--condition=None';

export const projectBinding = (project: string, email: string, role: string): readonly string[] => [
  'projects',
  'add-iam-policy-binding',
  project,
  `--member=serviceAccount:${email}`,
  `--role=${role}`,
  unconditional,
  '--format=none',
];

const bindingOf = ({ account, role, on }: Grant, place: IamPlace): (readonly string[])[] => {
  const { project, region, bucket } = place;
  const email = emailOf(account, project);
  const what = [`--member=serviceAccount:${email}`, `--role=${role}`];
  switch (on.kind) {
    case 'project':
      return [projectBinding(project, email, role)];
    case 'bucket':
      return [
        [
          'storage',
          'buckets',
          'add-iam-policy-binding',
          `gs://${bucket}`,
          ...what,
          unconditional,
          '--format=none',
        ],
      ];
    case 'secret':
      return place
        .secretsNamed(on.name)
        .map((name) => [
          'secrets',
          'add-iam-policy-binding',
          name,
          ...what,
          unconditional,
          `--project=${project}`,
          '--format=none',
        ]);
    case 'function':
      return [
        [
          'run',
          'services',
          'add-iam-policy-binding',
          serviceOf(on.name),
          ...what,
          unconditional,
          `--region=${region}`,
          `--project=${project}`,
          '--format=none',
        ],
      ];
    default: {
      const never: never = on;
      return never;
    }
  }
};
