import {
  done,
  FUNCTIONS,
  get,
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

const SERVICE = { apiVersion: 'serving.knative.dev/v1' };
const NEWEST = [{ percent: 100, latestRevision: true }];

/** A function of the second generation is a Cloud Run service too; each deployment makes a revision of it. */
const deployFunction = (state: State, what: string, body: Json): Json => {
  const name = what.slice(FUNCTIONS.length + 1);
  const id = name.split('/').at(-1) ?? '';
  const service = id.toLowerCase();
  const number = 1 + under(state, `revisions/${service}`).length;
  const revision = `${service}-${String(number).padStart(5, '0')}-abc`;
  const labels = { 'serving.knative.dev/service': service, 'cloud.googleapis.com/location': REGION };
  const ready = [{ type: 'Ready', status: 'True' }];
  const spec = { containers: [{ image: 'europe-west2-docker.pkg.dev/p/gcf-artifacts/f' }] };
  state.set(`revisions/${service}/${revision}`, {
    ...SERVICE,
    kind: 'Revision',
    // A week apart, as deployments are.
    metadata: {
      name: revision,
      namespace: PROJECT_NUMBER,
      labels,
      creationTimestamp: new Date(Date.UTC(2026, 9, 7 * number)).toISOString(),
    },
    spec,
    status: { conditions: ready },
  });
  // A service that a rollback has pinned stays so.
  const held = state.get(`${RUN}/services/${service}`)?.['spec'] as { traffic?: Json[] } | undefined;
  const traffic = held?.traffic ?? NEWEST;
  state.set(`${RUN}/services/${service}`, {
    ...SERVICE,
    kind: 'Service',
    metadata: { name: service, namespace: PROJECT_NUMBER, generation: number, labels },
    spec: { template: { spec }, traffic },
    status: {
      observedGeneration: number,
      latestReadyRevisionName: revision,
      latestCreatedRevisionName: revision,
      conditions: ready,
      traffic: traffic.map((part) =>
        part['latestRevision'] === true ? { ...part, revisionName: revision } : part,
      ),
    },
  });
  const url = `https://${REGION}-${PROJECT}.cloudfunctions.net/${id}`;
  const config = {
    ...(body['serviceConfig'] as Json),
    service: `projects/${PROJECT}/locations/${REGION}/services/${service}`,
    uri: url,
    revision,
  };
  return put(state, what, {
    ...state.get(what),
    ...body,
    name,
    state: 'ACTIVE',
    environment: 'GEN_2',
    url,
    updateTime: NOW,
    serviceConfig: config,
  });
};

/** In their order; the first that matches `METHOD machine/path` answers. */
export const FIREBASE_ROUTES: Routes = [
  [/^GET (?:firebase-public\.firebaseio\.com|registry\.npmjs\.org)\//, () => ({})],
  [/^POST (?:www\.google-analytics\.com|firebaselogging|play\.googleapis\.com)/, () => ({})],
  [
    /^GET [^/]+\/(?:projects\/[^/]+\/locations\/[^/]+\/)?(operations\/[^/]+)$/,
    ({ found: [name = ''] }, state) => get(state, name),
  ],
  [
    /^GET compute\.googleapis\.com\/projects\/[^/]+$/,
    () => ({
      name: PROJECT,
      defaultServiceAccount: `${PROJECT_NUMBER}-compute@developer.gserviceaccount.com`,
    }),
  ],
  [/^GET firebaseextensions\.googleapis\.com\//, () => ({})],
  [
    /^POST (?:oauth2\.googleapis\.com|www\.googleapis\.com)\/(?:oauth2\/v4\/)?token$/,
    () => ({
      access_token: 'rehearsal',
      expires_in: 3600,
      token_type: 'Bearer',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
    }),
  ],
  [
    /^POST cloudresourcemanager\.googleapis\.com\/projects\/[^/]+:testIamPermissions$/,
    ({ body }) => ({ permissions: body['permissions'] }),
  ],
  [/^POST (.+):testIamPermissions$/, ({ body }) => ({ permissions: body['permissions'] })],
  [/^(?:GET|POST) (?:.+?)\/(.+):getIamPolicy$/, ({ found: [what = ''] }, state) => policyOf(state, what)],
  [
    /^POST (?:.+?)\/(.+):setIamPolicy$/,
    ({ found: [what = ''], body }, state) => {
      state.set(policyKey(what), body['policy'] as Json);
      return body['policy'];
    },
  ],
  [
    /^GET serviceusage\.googleapis\.com\/projects\/[^/]+\/services$/,
    (_, state) => ({ services: under(state, 'services') }),
  ],
  [
    /^GET serviceusage\.googleapis\.com\/projects\/[^/]+\/services\/([^:]+)$/,
    ({ found: [name = ''] }, state) =>
      state.get(`services/${name}`) ?? {
        name: `projects/${PROJECT_NUMBER}/services/${name}`,
        state: 'DISABLED',
      },
  ],
  [
    /^POST serviceusage\.googleapis\.com\/projects\/[^/]+\/services\/([^:]+):enable$/,
    ({ found: [name = ''] }, state) => {
      const made = {
        name: `projects/${PROJECT_NUMBER}/services/${name}`,
        config: { name },
        state: 'ENABLED',
      };
      state.set(`services/${name}`, made);
      return done(state, { service: made });
    },
  ],
  [
    /^POST serviceusage\.googleapis\.com\/projects\/[^/]+\/services\/([^:]+):generateServiceIdentity$/,
    ({ found: [name = ''] }, state) =>
      done(state, {
        email: `service-${PROJECT_NUMBER}@gcp-sa-${name.split('.')[0]}.iam.gserviceaccount.com`,
        uniqueId: '1',
      }),
  ],
  [/^GET firebase\.googleapis\.com\/projects\/[^/]+$/, (_, state) => get(state, 'firebase')],
  [
    /^GET firebase\.googleapis\.com\/projects\/[^/]+\/adminSdkConfig$/,
    (_, state) => get(state, 'adminSdkConfig'),
  ],
  [
    /^GET firebase\.googleapis\.com\/projects\/[^/]+\/webApps$/,
    (_, state) => ({ apps: under(state, 'webApps') }),
  ],
  [
    /^GET cloudbilling\.googleapis\.com\/projects\/[^/]+\/billingInfo$/,
    (_, state) => get(state, 'billingInfo'),
  ],
  [
    /^GET cloudresourcemanager\.googleapis\.com\/projects\/[^/]+$/,
    () => ({ projectId: PROJECT, projectNumber: PROJECT_NUMBER, name: PROJECT, lifecycleState: 'ACTIVE' }),
  ],
  [/^GET runtimeconfig\.googleapis\.com\//, () => ({})],
  [
    /^GET cloudfunctions\.googleapis\.com\/projects\/[^/]+\/locations$/,
    () => ({
      locations: [
        {
          locationId: REGION,
          name: `projects/${PROJECT}/locations/${REGION}`,
          labels: { 'cloudfunctions.googleapis.com/generation': 'GEN_2' },
        },
      ],
    }),
  ],
  [
    /^GET cloudfunctions\.googleapis\.com\/projects\/[^/]+\/locations\/[^/]+\/functions$/,
    ({ version }, state) => ({
      // The first generation has none.
      functions:
        version === 'v1'
          ? []
          : under(state, `${FUNCTIONS}/projects/${PROJECT}/locations/${REGION}/functions`),
    }),
  ],
  [
    /^POST cloudfunctions\.googleapis\.com\/projects\/[^/]+\/locations\/[^/]+\/functions:generateUploadUrl$/,
    () => ({
      uploadUrl: 'https://storage.googleapis.com/uploads/source.zip',
      storageSource: { bucket: 'gcf-v2-uploads', object: 'source.zip', generation: '1' },
    }),
  ],
  [
    /^PUT storage\.googleapis\.com\/uploads\/source\.zip$/,
    ({ raw }, state) => {
      state.set('archive', { base64: raw.toString('base64') });
      return {};
    },
  ],
  [
    /^POST (cloudfunctions\.googleapis\.com\/projects\/[^/]+\/locations\/[^/]+\/functions)$/,
    ({ found: [what = ''], query, body }, state) =>
      done(state, deployFunction(state, `${what}/${query.get('functionId')}`, body)),
  ],
  [
    /^PATCH (cloudfunctions\.googleapis\.com\/projects\/[^/]+\/locations\/[^/]+\/functions\/[^/]+)$/,
    ({ found: [what = ''], body }, state) => done(state, deployFunction(state, what, body)),
  ],
  [
    /^GET (cloudfunctions\.googleapis\.com\/projects\/[^/]+\/locations\/[^/]+\/functions\/[^/]+)$/,
    ({ found: [what = ''] }, state) => get(state, what),
  ],
  [
    /^GET run\.googleapis\.com\/projects\/[^/]+\/locations\/[^/]+\/services\/([^/]+)$/,
    ({ found: [name = ''] }, state) => ({
      name: `projects/${PROJECT}/locations/${REGION}/services/${name}`,
      template: { containers: [{ image: 'x' }] },
      ...get(state, `${RUN}/services/${name}`),
    }),
  ],
  [
    /^(?:GET|PATCH|POST) (cloudscheduler\.googleapis\.com\/projects\/[^/]+\/locations\/[^/]+\/jobs(?:\/[^/:]+)?)$/,
    ({ method, found: [what = ''], body }, state) => {
      if (method === 'GET') return what.endsWith('/jobs') ? { jobs: under(state, what) } : get(state, what);
      if (method === 'PATCH') get(state, what);
      const name = String(body['name'] ?? what.slice('cloudscheduler.googleapis.com/'.length));
      const made = { state: 'ENABLED', ...body, name };
      state.set(`cloudscheduler.googleapis.com/${name}`, made);
      return made;
    },
  ],
  [/^GET (artifactregistry\.googleapis\.com\/.+)$/, ({ found: [what = ''] }, state) => get(state, what)],
  [
    /^PATCH (artifactregistry\.googleapis\.com\/.+)$/,
    ({ found: [what = ''], body }, state) => {
      const made = { ...get(state, what), ...body };
      state.set(what, made);
      return made;
    },
  ],
  [
    /^GET firestore\.googleapis\.com\/projects\/[^/]+\/databases$/,
    (_, state) => ({ databases: [get(state, 'firestore')] }),
  ],
  [
    /^GET firestore\.googleapis\.com\/projects\/[^/]+\/databases\/([^/]+)$/,
    ({ found: [name] }, state) => get(state, name === '(default)' ? 'firestore' : `database ${name}`),
  ],
  [
    /^POST firebaserules\.googleapis\.com\/projects\/[^/]+:test$/,
    (_, state) => state.get('rules:issues') ?? {},
  ],
  [
    /^POST firebaserules\.googleapis\.com\/projects\/[^/]+\/rulesets$/,
    ({ body }, state) => {
      const name = `projects/${PROJECT}/rulesets/r${state.size}`;
      state.set(`firebaserules.googleapis.com/${name}`, { ...body, name });
      return { name };
    },
  ],
  [
    /^GET (firebaserules\.googleapis\.com\/projects\/[^/]+\/rulesets\/[^/]+)$/,
    ({ found: [what = ''] }, state) => get(state, what),
  ],
  [
    /^GET firebaserules\.googleapis\.com\/projects\/[^/]+\/releases$/,
    (_, state) => ({
      releases: [...state].filter(([key]) => key.startsWith('releases:')).map(([, value]) => value),
    }),
  ],
  [
    /^(?:POST|PATCH|PUT) firebaserules\.googleapis\.com\/projects\/[^/]+\/releases.*$/,
    ({ method, body }, state) => {
      const release = (method === 'PATCH' ? body['release'] : body) as Json;
      if (method === 'PATCH' && !state.has(`releases:${release['name']}`))
        throw new Refusal(404, 'no such release');
      state.set(`releases:${release['name']}`, release);
      return release;
    },
  ],
  [
    /^GET firebasestorage\.[^/]+\/projects\/[^/]+\/defaultBucket$/,
    (_, state) => {
      const bucket = get(state, 'adminSdkConfig')['storageBucket'];
      if (bucket === undefined) throw new Refusal(404, 'no default bucket');
      return {
        name: `projects/${PROJECT}/defaultBucket`,
        bucket: { name: `projects/${PROJECT}/buckets/${bucket}` },
      };
    },
  ],
  [
    /^GET firebasehosting\.[^/]+\/projects\/[^/]+\/sites\/([^/]+)$/,
    ({ found: [site = ''] }) => ({
      name: `projects/${PROJECT}/sites/${site}`,
      defaultUrl: `https://${site}.web.app`,
      type: 'DEFAULT_SITE',
    }),
  ],
  [
    /^POST firebasehosting\.[^/]+\/projects\/[^/]+\/sites\/[^/]+\/versions$/,
    ({ body }, state) => ({
      ...put(state, 'hosting', body),
      name: `sites/${PROJECT}/versions/v1`,
      status: 'CREATED',
    }),
  ],
  [
    /^POST firebasehosting\..+\/versions\/v1:populateFiles$/,
    () => ({ uploadRequiredHashes: [], uploadUrl: 'https://upload-firebasehosting.googleapis.com/upload' }),
  ],
  [
    /^PATCH firebasehosting\..+\/versions\/v1$/,
    ({ body }, state) => ({
      ...put(state, 'hosting', { ...get(state, 'hosting'), ...body }),
      name: `sites/${PROJECT}/versions/v1`,
      status: 'FINALIZED',
    }),
  ],
  [
    /^POST firebasehosting\..+\/releases$/,
    (_, state) => put(state, 'hosting:released', { name: `sites/${PROJECT}/releases/r1` }),
  ],
];
