import type { Ended } from './rehearsal.ts';

const IN = '--location=europe-west2 --project=P';

/** What a deployment reads, as it asks, in a project that is deployed; then the same of what is not there. */
const COMMANDS: Readonly<Record<string, string>> = {
  project: 'projects describe P --format="value(projectNumber)"',
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
  noBucket: 'storage buckets describe gs://none --raw --project=P --format=json',
  noSecret: 'secrets versions list none --project=P --filter=state=ENABLED --format="value(name)"',
  noRepository: `artifacts repositories describe none ${IN} --format=json`,
  noDatabase: 'firestore databases describe --database=none --project=P --format=json',
};

/** Of a list one item is enough; what changes from run to run is the same in all. */
const settled = (printed: string): unknown => {
  try {
    const value: unknown = JSON.parse(
      printed
        .replaceAll(/indexes\/i\d+/g, 'indexes/i1')
        .replaceAll(/"createTime": "[^"]+"/g, '"createTime": "2026-11-20T12:00:00Z"'),
    );
    return Array.isArray(value) ? value.slice(0, 1) : value;
  } catch {
    return printed;
  }
};

/** What the real gcloud prints for each of COMMANDS: the fixture that the shell's stand-ins answer from. */
export const recordGcloud = async (give: (line: string) => Promise<Ended>): Promise<string> => {
  const recorded: Record<string, unknown> = {};
  for (const [name, command] of Object.entries(COMMANDS)) {
    const { code, said, printed } = await give(`gcloud ${command}`);
    recorded[name] =
      code === 0 ? settled(printed) : { code, says: said.replaceAll(/ (?:This command is|\/tmp\/).*/g, '') };
  }
  return `${JSON.stringify(recorded, null, 2)}\n`;
};
