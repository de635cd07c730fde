import type { Ended, Rehearsal } from './rehearsal.ts';

const IN = '--location=europe-west2 --project=P';

/** What deployment, doctor and alerts read, as they ask, in a project that is deployed; then the same of what is not there. */
const COMMANDS: Readonly<Record<string, string>> = {
  project: 'projects describe P --format="value(projectNumber)"',
  builder: 'builds get-default-service-account --project=P --format="value(serviceAccountEmail)"',
  database: 'firestore databases describe --database="(default)" --project=P --format=json',
  indexes: 'firestore indexes composite list --database="(default)" --project=P --format=json',
  ttls: 'firestore fields ttls list --database="(default)" --project=P --format=json',
  fields: 'firestore indexes fields list --database="(default)" --project=P --format=json',
  services: 'run services list --region=europe-west2 --project=P --format=json',
  revisions: 'run revisions list --region=europe-west2 --project=P --format=json',
  jobs: `scheduler jobs list ${IN} --format=json`,
  images: `artifacts repositories describe gcf-artifacts ${IN} --format=json`,
  bucket: 'storage buckets describe gs://B --raw --project=P --format=json',
  versions: 'secrets versions list django-api-token --project=P --format=json',
  functions: 'functions list --project P --format json',
  projectPolicy: 'projects get-iam-policy P --format json',
  bucketPolicy: 'storage buckets get-iam-policy gs://B --format json',
  secretPolicy: 'secrets get-iam-policy chain-signing-key --project P --format json',
  metrics: 'logging metrics list --project=P --format=json',
  policies: 'alpha monitoring policies list --project=P --format=json',
  channels: 'beta monitoring channels list --project=P --format=json',
  noBucket: 'storage buckets describe gs://none --raw --project=P --format=json',
  noSecret: 'secrets versions list none --project=P --filter=state=ENABLED --format="value(name)"',
  noRepository: `artifacts repositories describe none ${IN} --format=json`,
  noDatabase: 'firestore databases describe --database=none --project=P --format=json',
};

/** The same tools where Google answers every call with 403: of each what is read, and what is changed. */
const REFUSED: Readonly<Record<string, string>> = {
  deniedVersions: 'secrets versions list django-api-token --project=P --format=json',
  deniedRevisions: 'run revisions list --region=europe-west2 --project=P --format=json',
  deniedFunctions: 'functions list --project P --format json',
  deniedPolicy: 'projects get-iam-policy P --format json',
  deniedMetric: 'logging metrics create of-the-test --description=d --log-filter=severity=ERROR --project=P',
  deniedTraffic:
    'run services update-traffic syncfromdjango --to-revisions=syncfromdjango-00000-old=100 --region=europe-west2 --project=P',
  deniedInvoker:
    'run services add-iam-policy-binding followhints --member=serviceAccount:sync-webhook@P.iam.gserviceaccount.com --role=roles/run.invoker --condition=None --region=europe-west2 --project=P',
};

/** What this repository has given to Google and gets back unchanged: not what the fixture is for. */
const OUR_OWN = new Set([
  'environmentVariables',
  'documentation',
  'conditionThreshold',
  'metricDescriptor',
  'labelExtractors',
  'filter',
  'firebase-functions-hash',
]);
const shortened = (key: string, value: unknown): unknown => {
  if (OUR_OWN.has(key)) return undefined;
  return key === 'bindings' && Array.isArray(value) ? value.slice(0, 1) : value;
};

interface Listed {
  readonly metadata?: { readonly name: string };
  readonly schedule?: string;
  readonly serviceConfig?: object;
  readonly name?: string;
}

/** Of a list one item is enough; what changes from run to run is the same in all. */
const settled = (printed: string): unknown => {
  try {
    const value = JSON.parse(
      printed
        .replaceAll(/(?<=indexes\/i|alertPolicies\/|notificationChannels\/)\d+/g, '1')
        .replaceAll(/"(etag|displayName|description)": "[^"]+"/g, '"$1": "of the test"')
        .replaceAll(/"createTime": "[^"]+"/g, '"createTime": "2026-11-20T12:00:00Z"'),
      shortened,
    );
    return Array.isArray(value)
      ? value.toSorted((a, b) => orderOf(a).localeCompare(orderOf(b))).slice(0, 1)
      : value;
  } catch {
    return printed;
  }
};

/** Functions are deployed side by side, so what belongs to them has no fixed order; all else has. */
const orderOf = ({ metadata, schedule, serviceConfig, name = '' }: Listed): string =>
  metadata?.name ?? (schedule === undefined && serviceConfig === undefined ? '' : name);

/** What a failed command says, without the place of the rehearsal's token. */
const failed = ({ code, said }: Ended) => ({
  code,
  says: said.replaceAll(/ (?:This command is|\/tmp\/).*/g, ''),
});

/** What the real gcloud prints for each command above: the fixture that the shell's stand-ins answer from. */
export const recordGcloud = async ({ give, google }: Rehearsal): Promise<string> => {
  const recorded: Record<string, unknown> = {};
  for (const [name, command] of Object.entries(COMMANDS)) {
    const ended = await give(`gcloud ${command}`);
    recorded[name] = ended.code === 0 ? settled(ended.printed) : failed(ended);
  }
  google.refuse(/./, 403, 'The caller does not have permission');
  for (const [name, command] of Object.entries(REFUSED))
    recorded[name] = failed(await give(`gcloud ${command}`));
  google.forgive();
  return `${JSON.stringify(recorded, null, 2)}\n`;
};

/** Of what firebase-tools says while it works, which depends on the machine, the lines that name the fault. */
const faultOf = ({ code, said }: Ended) => ({
  code,
  says: said.slice(said.search(/^(?:Error: Compilation|⚠ {2}functions: {2}failed)/m)).trim(),
});

/** How the real firebase-tools fails where rules do not compile, and where a function is not built. */
export const recordFirebase = async ({ give, google }: Rehearsal): Promise<string> => {
  const deploy = (what: string) => give(`firebase deploy --only ${what} --project P --non-interactive`);
  const wrong = { fileName: 'firestore.rules', line: 3, column: 5 };
  google.state.set('rules:issues', {
    issues: [{ severity: 'ERROR', description: "Unexpected 'allow'.", sourcePosition: wrong }],
  });
  const rulesFail = faultOf(await deploy('firestore:rules'));
  google.state.delete('rules:issues');
  google.refuse(/^POST cloudfunctions\..+\/functions$/, 400, 'Build failed: npm ci ended with code 1');
  const buildFails = faultOf(await deploy('functions:syncMemberList'));
  google.forgive();
  return `${JSON.stringify({ rulesFail, buildFails }, null, 2)}\n`;
};
