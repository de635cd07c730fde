import {
  done,
  get,
  holding,
  type Json,
  NOW,
  PROJECT,
  PROJECT_NUMBER,
  policyKey,
  policyOf,
  put,
  REGION,
  Refusal,
  type Routes,
  RUN,
  type State,
  under,
} from './project-state.ts';

/** Of a token, which nothing here believes, gcloud looks at the form. */
const IDENTITY_TOKEN = ['{"alg":"none"}', '{"sub":"1","exp":4102444800}', 'rehearsal']
  .map((part) => Buffer.from(part).toString('base64url'))
  .join('.');

/** `gcloud run services update-traffic` puts the whole service back. */
const serve = (state: State, name: string, body: Json): Json => {
  const { traffic = [] } = body['spec'] as { traffic?: Json[] };
  const status = get(state, `${RUN}/services/${name}`)['status'] as Json;
  const revisionName = status['latestReadyRevisionName'];
  const metadata = body['metadata'] as Json;
  const generation = Number(metadata['generation']) + 1;
  return put(state, `${RUN}/services/${name}`, {
    ...body,
    metadata: { ...metadata, generation },
    status: {
      ...status,
      observedGeneration: generation,
      traffic: traffic.map((part) => (part['latestRevision'] === true ? { ...part, revisionName } : part)),
    },
  });
};

/** What each does to a job of Cloud Scheduler. */
const VERBS: Readonly<Record<string, Json>> = {
  pause: { state: 'PAUSED' },
  resume: { state: 'ENABLED' },
  run: { lastAttemptTime: NOW },
};

/** What `gcloud` asks beside what `firebase-tools` does. */
export const GCLOUD_ROUTES: Routes = [
  [
    /^GET cloudbuild\.[^/]+\/projects\/[^/]+\/locations\/[^/]+\/defaultServiceAccount$/,
    () => ({
      name: `projects/${PROJECT_NUMBER}/locations/global/defaultServiceAccount`,
      serviceAccountEmail: `projects/${PROJECT_NUMBER}/serviceAccounts/${PROJECT_NUMBER}-compute@developer.gserviceaccount.com`,
    }),
  ],
  [
    /^POST (cloudscheduler\.[^/]+\/.+\/jobs\/[^/:]+):(pause|resume|run)$/,
    ({ found: [what = '', verb = ''] }, state) => put(state, what, { ...get(state, what), ...VERBS[verb] }),
  ],
  [
    /^GET iam\.[^/]+\/projects\/[^/]+\/serviceAccounts$/,
    (_, state) => ({ accounts: under(state, 'accounts') }),
  ],
  [
    /^POST iam\.[^/]+\/projects\/[^/]+\/serviceAccounts$/,
    ({ body }, state) => {
      const email = `${body['accountId']}@${PROJECT}.iam.gserviceaccount.com`;
      const name = `projects/${PROJECT}/serviceAccounts/${email}`;
      return put(state, `accounts/${email}`, {
        ...(body['serviceAccount'] as Json),
        name,
        email,
        uniqueId: '1',
        projectId: PROJECT,
      });
    },
  ],
  [/^POST iamcredentials\.[^/]+\/.+:generateIdToken$/, () => ({ token: IDENTITY_TOKEN })],
  [
    /^POST iamcredentials\.[^/]+\/.+:generateAccessToken$/,
    () => ({ accessToken: 'rehearsal', expireTime: '2099-01-01T00:00:00Z' }),
  ],
  [
    /^GET run\.[^/]+\/(?:namespaces\/[^/]+|projects\/[^/]+\/locations\/[^/]+)\/services$/,
    (_, state) => ({
      items: under(state, `${RUN}/services`),
      kind: 'ServiceList',
      apiVersion: 'serving.knative.dev/v1',
    }),
  ],
  [
    /^GET run\.[^/]+\/namespaces\/[^/]+\/services\/([^/]+)$/,
    ({ found: [name = ''] }, state) => get(state, `${RUN}/services/${name}`),
  ],
  [
    /^PUT run\.[^/]+\/namespaces\/[^/]+\/services\/([^/]+)$/,
    ({ found: [name = ''], body }, state) => serve(state, name, body),
  ],
  [
    /^GET run\.[^/]+\/namespaces\/[^/]+\/revisions$/,
    (_, state) => ({
      items: holding(state, /^revisions\//),
      kind: 'RevisionList',
      metadata: {},
      apiVersion: 'serving.knative.dev/v1',
    }),
  ],
  [
    /^GET secretmanager\.[^/]+\/projects\/[^/]+\/secrets\/([^/]+)\/versions$/,
    ({ found: [name = ''], query }, state) => {
      const versions = under(state, `secrets/${name}/versions`);
      if (versions.length === 0)
        throw new Refusal(404, `Secret [projects/${PROJECT_NUMBER}/secrets/${name}] not found.`);
      const enabled = versions.filter(({ state: is }) => !query.has('filter') || is === 'ENABLED');
      return { versions: enabled.map(({ payload: _, ...version }) => version), totalSize: enabled.length };
    },
  ],
  [
    /^GET secretmanager\.[^/]+\/projects\/[^/]+\/secrets\/([^/]+)\/versions\/latest:access$/,
    ({ found: [name = ''] }, state) => {
      const { name: version, payload } = get(state, `secrets/${name}/versions/1`);
      return { name: version, payload: { data: Buffer.from(String(payload)).toString('base64') } };
    },
  ],
  [/^GET storage\.[^/]+\/b\/([^/]+)$/, ({ found: [name = ''] }, state) => get(state, `buckets/${name}`)],
  [
    /^PATCH storage\.[^/]+\/b\/([^/]+)$/,
    ({ found: [name = ''], body }, state) =>
      put(state, `buckets/${name}`, { ...get(state, `buckets/${name}`), ...body }),
  ],
  [
    /^GET storage\.[^/]+\/b\/([^/]+)\/iam$/,
    ({ found: [name = ''] }, state) => policyOf(state, `buckets/${name}`),
  ],
  [
    /^PUT storage\.[^/]+\/b\/([^/]+)\/iam$/,
    ({ found: [name = ''], body }, state) => put(state, policyKey(`buckets/${name}`), body),
  ],
  [
    /^GET firestore\.[^/]+\/projects\/[^/]+\/databases\/[^/]+\/collectionGroups\/-\/indexes$/,
    (_, state) => ({ indexes: holding(state, /^firestore\..*\/indexes\//) }),
  ],
  [
    /^GET firestore\.[^/]+\/projects\/[^/]+\/databases\/[^/]+\/collectionGroups\/-\/fields$/,
    ({ query }, state) => ({
      fields: holding(state, /^firestore\..*\/fields\//).filter(
        (field) => !(query.get('filter') ?? '').includes('ttlConfig') || field['ttlConfig'] !== undefined,
      ),
    }),
  ],
  [
    /^POST firestore\.[^/]+\/(projects\/[^/]+\/databases\/[^/]+\/collectionGroups\/[^/]+\/indexes)$/,
    ({ found: [what = ''], body }, state) => {
      const name = `${what}/i${state.size}`;
      return done(state, put(state, `firestore.googleapis.com/${name}`, { ...body, name, state: 'READY' }));
    },
  ],
  [
    /^PATCH firestore\.[^/]+\/(projects\/[^/]+\/databases\/[^/]+\/collectionGroups\/[^/]+\/fields\/[^/]+)$/,
    ({ found: [name = ''], body }, state) => {
      const key = `firestore.googleapis.com/${name}`;
      const config = body['indexConfig'] as { indexes?: Json[] } | undefined;
      const indexes = (config?.indexes ?? []).map((index) => ({ ...index, state: 'READY' }));
      return done(
        state,
        put(state, key, {
          ...state.get(key),
          ...body,
          name,
          ...(config !== undefined && { indexConfig: { indexes } }),
          ...(body['ttlConfig'] !== undefined && { ttlConfig: { state: 'ACTIVE' } }),
        }),
      );
    },
  ],
  [
    /^POST (artifactregistry\.[^/]+\/.+\/repositories)$/,
    ({ found: [what = ''], query, body }, state) => {
      const key = `${what}/${query.get('repositoryId')}`;
      const made = done(state, put(state, key, { ...body, name: key.split('/').slice(1).join('/') }));
      // gcloud takes the project and place of an operation from its name.
      return { ...made, name: `projects/${PROJECT}/locations/${REGION}/${made['name']}` };
    },
  ],
  [/^GET logging\.[^/]+\/projects\/[^/]+\/metrics$/, (_, state) => ({ metrics: under(state, 'metrics') })],
  [
    /^GET logging\.[^/]+\/projects\/[^/]+\/metrics\/(.+)$/,
    ({ found: [name = ''] }, state) => get(state, `metrics/${name}`),
  ],
  [
    /^(?:POST|PUT) logging\.[^/]+\/projects\/[^/]+\/metrics(?:\/.+)?$/,
    ({ body }, state) => put(state, `metrics/${body['name']}`, body),
  ],
  [
    /^GET monitoring\.[^/]+\/projects\/[^/]+\/alertPolicies$/,
    (_, state) => ({ alertPolicies: holding(state, /\/alertPolicies\//) }),
  ],
  [
    /^GET monitoring\.[^/]+\/projects\/[^/]+\/notificationChannels$/,
    (_, state) => ({ notificationChannels: holding(state, /\/notificationChannels\//) }),
  ],
  [/^GET monitoring\.[^/]+\/(projects\/.+)$/, ({ found: [name = ''] }, state) => get(state, name)],
  [
    /^POST monitoring\.[^/]+\/(projects\/[^/]+\/(?:alertPolicies|notificationChannels))$/,
    ({ found: [what = ''], body }, state) => {
      const name = `${what}/${state.size}`;
      return put(state, name, { enabled: true, ...body, name });
    },
  ],
  [
    /^PATCH monitoring\.[^/]+\/(projects\/.+)$/,
    ({ found: [name = ''], body }, state) => put(state, name, { ...get(state, name), ...body }),
  ],
];
