import {
  emailOf,
  type IamTable,
  iamPolicy,
  type Place,
  readIamTable,
  withSettings,
} from '../../deploy/iam-table.ts';
import { gcloudJson } from '../gcloud.ts';
import { bad, type Check, type Finding, faultsOr, type ProjectContext } from './check.ts';
import { usedSecrets } from './used-secrets.ts';

const PUBLIC = new Set(['allUsers', 'allAuthenticatedUsers']);

/** Something that has a policy of its own, and how gcloud asks for it. */
interface Resource {
  readonly place: Exclude<Place, { kind: 'function' }>;
  readonly name: string;
  readonly command: readonly string[];
}

/** Functions run as their own accounts, and no account holds a role that docs/iam.md does not give it. */
export const checkIam: Check<ProjectContext> = async ({ gcloud, deployment }) => {
  const { project } = deployment;
  const table = withSettings(await readIamTable(), await deployment.settings());
  const config = await deployment.config();
  const secrets = usedSecrets(config);
  const resources: Resource[] = [
    { place: { kind: 'project' }, name: project, command: ['projects'] },
    { place: { kind: 'bucket' }, name: `gs://${config.bucket}`, command: ['storage', 'buckets'] },
    ...secrets.map(
      ({ name, usual }): Resource => ({ place: { kind: 'secret', name: usual }, name, command: ['secrets'] }),
    ),
  ];
  const found = await Promise.all(
    resources.map(async (resource) => {
      // The other two name their project by themselves.
      const own = resource.place.kind === 'secret' ? ['--project', project] : [];
      const args = [...resource.command, 'get-iam-policy', resource.name, ...own];
      const { bindings } = await gcloudJson(gcloud, args, iamPolicy);
      return bindings.flatMap(({ role, members }) =>
        members
          .filter((member) => isTooWide(member, role, resource.place, table, project))
          .map((member) => wideFinding(member, role, resource, own)),
      );
    }),
  );
  return faultsOr(
    [...found.flat(), ...(await checkAccounts(deployment, table))],
    `no role is wider than docs/iam.md on the project, the bucket and ${secrets.length} secrets`,
  );
};

const isTooWide = (member: string, role: string, place: Place, table: IamTable, project: string): boolean => {
  if (PUBLIC.has(member)) return true;
  const account = table.accounts.find(({ name }) => member === `serviceAccount:${emailOf(name, project)}`);
  if (account === undefined) return false;
  return !table.grants.some(
    (grant) => grant.account === account.name && grant.role === role && isSamePlace(grant.on, place),
  );
};

/** A `*` in the document stands for any ending. */
const isSamePlace = (granted: Place, place: Place): boolean => {
  if (!('name' in granted) || !('name' in place)) return granted.kind === place.kind;
  const isSameName = granted.name.endsWith('*')
    ? place.name.startsWith(granted.name.slice(0, -1))
    : granted.name === place.name;
  return granted.kind === place.kind && isSameName;
};

const wideFinding = (
  member: string,
  role: string,
  { place, name, command }: Resource,
  own: readonly string[],
): Finding => {
  // `--all`: with whatever condition it was given.
  const remove = [
    ...command,
    'remove-iam-policy-binding',
    name,
    '--member',
    member,
    '--role',
    role,
    '--all',
    ...own,
  ];
  return bad(`${member} has ${role} on the ${place.kind} ${name}`, `gcloud ${remove.join(' ')}`);
};

const checkAccounts = async (
  { functions, project }: ProjectContext['deployment'],
  { accounts }: IamTable,
): Promise<Finding[]> =>
  (await functions()).flatMap(({ name, serviceAccount }) => {
    const account = accounts.find(({ functions: runs }) => runs.includes(name));
    if (account === undefined)
      return [bad(`${name} has no account in docs/iam.md`, 'add it there, and deploy')];
    const wanted = emailOf(account.name, project);
    return serviceAccount === wanted
      ? []
      : [
          bad(
            `${name} runs as ${serviceAccount ?? 'an unknown account'}, not as ${wanted}`,
            `npm run deploy -- --project ${project}`,
          ),
        ];
  });
