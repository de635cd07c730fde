import {
  done,
  get,
  type Json,
  NOW,
  PROJECT,
  PROJECT_NUMBER,
  put,
  REGION,
  Refusal,
  type Routes,
  type State,
  under,
} from './project-state.ts';

const DATABASE = `projects/${PROJECT}/databases/(default)`;

/** gcloud takes the project of an operation from its name. */
const named = (operation: Json, before: string): Json => ({
  ...operation,
  name: `${before}${operation['name']}`,
});

export const enable = (state: State, name: string): Json =>
  put(state, `services/${name}`, {
    name: `projects/${PROJECT_NUMBER}/services/${name}`,
    config: { name },
    state: 'ENABLED',
  });

/** What the first steps of docs/deploy.md make, before anything is deployed. */
export const NEW_PROJECT_ROUTES: Routes = [
  [
    /^POST cloudresourcemanager\.[^/]+\/projects$/,
    ({ body }, state) =>
      done(
        state,
        put(state, 'project', { ...body, projectNumber: PROJECT_NUMBER, lifecycleState: 'ACTIVE' }),
      ),
  ],
  [
    /^PUT cloudbilling\.[^/]+\/projects\/[^/]+\/billingInfo$/,
    ({ body }, state) => put(state, 'billingInfo', { ...body, billingEnabled: true }),
  ],
  [
    /^POST firebase\.[^/]+\/projects\/[^/]+:addFirebase$/,
    (_, state) => {
      put(state, 'adminSdkConfig', { projectId: PROJECT });
      const resources = { hostingSite: PROJECT };
      const made = { projectId: PROJECT, projectNumber: PROJECT_NUMBER, displayName: PROJECT, resources };
      return done(state, put(state, 'firebase', { ...made, state: 'ACTIVE' }));
    },
  ],
  [
    /^POST firebase\.[^/]+\/projects\/[^/]+\/webApps$/,
    ({ body }, state) =>
      done(state, put(state, 'webApps/1', { ...body, appId: '1:1:web:1', projectId: PROJECT })),
  ],
  [
    /^GET firebasehosting\.[^/]+\/projects\/[^/]+\/sites$/,
    () => ({
      sites: [
        {
          name: `projects/${PROJECT}/sites/${PROJECT}`,
          type: 'DEFAULT_SITE',
          defaultUrl: `https://${PROJECT}.web.app`,
        },
      ],
    }),
  ],
  [
    /^POST serviceusage\.[^/]+\/projects\/[^/]+\/services:batchEnable$/,
    ({ body }, state) =>
      done(state, { services: (body['serviceIds'] as string[]).map((name) => enable(state, name)) }),
  ],
  [
    /^POST firestore\.[^/]+\/projects\/[^/]+\/databases$/,
    ({ body }, state) => {
      const made = put(state, 'firestore', { ...body, name: DATABASE });
      return named(done(state, made), `${DATABASE}/`);
    },
  ],
  [
    /^POST storage\.[^/]+\/b$/,
    ({ body }, state) => {
      const name = String(body['name']);
      const made = {
        kind: 'storage#bucket',
        id: name,
        storageClass: 'STANDARD',
        metageneration: '1',
        ...body,
      };
      return put(state, `buckets/${name}`, { ...made, location: REGION.toUpperCase() });
    },
  ],
  [
    /^POST secretmanager\.[^/]+\/projects\/[^/]+\/secrets$/,
    ({ query, body }, state) => {
      const name = `projects/${PROJECT_NUMBER}/secrets/${query.get('secretId')}`;
      return put(state, `secrets/${query.get('secretId')}`, { ...body, name, createTime: NOW });
    },
  ],
  [
    /^POST secretmanager\.[^/]+\/projects\/[^/]+\/secrets\/([^/:]+):addVersion$/,
    ({ found: [name = ''], body }, state) => {
      const { name: secret } = get(state, `secrets/${name}`);
      const data = String((body['payload'] as Json)['data']);
      const payload = Buffer.from(data, 'base64').toString('utf8');
      const version = { name: `${secret}/versions/1`, state: 'ENABLED', createTime: NOW };
      put(state, `secrets/${name}/versions/1`, { ...version, payload });
      return version;
    },
  ],
  [
    /^POST identitytoolkit\.[^/]+\/projects\/[^/]+\/accounts:lookup$/,
    ({ body }, state) => ({
      users: under(state, 'users').filter(({ email }) => (body['email'] as string[]).includes(String(email))),
    }),
  ],
  [
    /^POST identitytoolkit\.[^/]+\/projects\/[^/]+\/accounts:update$/,
    ({ body }, state) => {
      const key = `users/${body['localId']}`;
      return put(state, key, { ...get(state, key), ...body });
    },
  ],
  [
    /^GET identitytoolkit\.[^/]+\/projects\/[^/]+\/accounts:batchGet$/,
    (_, state) => ({ users: under(state, 'users') }),
  ],
  // The registry of the settings, which takes the token.
  [/^GET registry\.example\.is\/felagar\/api\/sync\/status\/$/, () => ({})],
  [
    /^GET secretmanager\.[^/]+\/projects\/[^/]+\/secrets\/([^/:]+)$/,
    ({ found: [name = ''] }, state) => {
      const secret = state.get(`secrets/${name}`);
      if (secret === undefined)
        throw new Refusal(404, `Secret [projects/${PROJECT_NUMBER}/secrets/${name}] not found.`);
      return secret;
    },
  ],
];
