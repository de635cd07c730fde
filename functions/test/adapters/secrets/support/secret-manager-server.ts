import { createRequire } from 'node:module';
import {
  credentials,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceClientConstructor,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';

export interface StoredVersion {
  readonly data: string;
  readonly state?: 'ENABLED' | 'DISABLED' | undefined;
  /** Sent as the payload's checksum; without it none is sent. */
  readonly crc32c?: number;
}

export interface SecretManagerServer {
  /** Options for the real client that lead it here, without credentials. */
  readonly client: {
    apiEndpoint: string;
    port: number;
    sslCreds: ReturnType<typeof credentials.createInsecure>;
  };
  /** Oldest first, as they were added. */
  readonly secrets: Map<string, StoredVersion[]>;
  /** Calls so far, by the method's name. */
  readonly calls: { access: number; list: number };
  /** The next calls of any method answer this status, `times` of them. */
  fail: (code: status, times?: number) => void;
  /** Calls wait for the returned function to be called. */
  hold: () => () => void;
  /** Called once a list has been answered. */
  afterList: () => void;
  close: () => Promise<void>;
}

const PROJECT = 'demo-ekklesia';

/** Speaks AccessSecretVersion and ListSecretVersions of google.cloud.secretmanager.v1, from the protos that the client ships. */
export const startSecretManagerServer = async (): Promise<SecretManagerServer> => {
  const secrets = new Map<string, StoredVersion[]>();
  const calls = { access: 0, list: 0 };
  const failures: status[] = [];
  let gate: Promise<void> = Promise.resolve();

  const serve =
    (count: () => void, answer: (request: WireRequest) => object) =>
    (call: ServerUnaryCall<WireRequest, object>, callback: sendUnaryData<object>): void => {
      count();
      void gate.then(() => {
        const failure = failures.shift();
        if (failure !== undefined) return callback({ code: failure, details: 'scripted by the test' });
        try {
          callback(null, answer(call.request));
        } catch (error) {
          callback({ code: error === DISABLED ? status.FAILED_PRECONDITION : status.NOT_FOUND, details: '' });
        }
      });
    };

  const versionsOf = (path: string): { path: string; versions: StoredVersion[] } => {
    const [, parent = '', name = ''] = /^(projects\/[^/]+\/secrets\/([^/]+))/.exec(path) ?? [];
    const versions = parent.startsWith(`projects/${PROJECT}/`) ? secrets.get(name) : undefined;
    if (versions === undefined) throw ABSENT;
    return { path: parent, versions };
  };

  const server = new Server();
  server.addService(loadService().service, {
    accessSecretVersion: serve(
      () => {
        calls.access += 1;
      },
      ({ name = '' }) => {
        const { path, versions } = versionsOf(name);
        const wanted = name.endsWith('/latest') ? versions.length : Number(name.split('/').at(-1));
        const version = versions[wanted - 1];
        if (version === undefined) throw ABSENT;
        if (version.state === 'DISABLED') throw DISABLED;
        const payload = {
          data: Buffer.from(version.data),
          ...(version.crc32c === undefined ? {} : { dataCrc32c: version.crc32c }),
        };
        return { name: `${path}/versions/${wanted}`, payload };
      },
    ),
    listSecretVersions: serve(
      () => {
        calls.list += 1;
      },
      ({ parent = '', filter = '', pageToken = '' }) => {
        const { path, versions } = versionsOf(parent);
        const newestFirst = versions
          .map(({ state = 'ENABLED' }, index) => ({ name: `${path}/versions/${index + 1}`, state }))
          .filter(({ state }) => filter !== 'state:ENABLED' || state === 'ENABLED')
          .reverse();
        // Two a page, so that the client has to follow the tokens.
        const start = Number(pageToken);
        const next = start + 2 < newestFirst.length ? String(start + 2) : '';
        self.afterList();
        return { versions: newestFirst.slice(start, start + 2), nextPageToken: next };
      },
    ),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });

  const self: SecretManagerServer = {
    client: { apiEndpoint: '127.0.0.1', port, sslCreds: credentials.createInsecure() },
    secrets,
    calls,
    fail: (code, times = 1) => {
      failures.push(...Array.from({ length: times }, () => code));
    },
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    afterList: () => undefined,
    close: async () => server.forceShutdown(),
  };
  return self;
};

interface WireRequest {
  readonly name?: string;
  readonly parent?: string;
  readonly filter?: string;
  readonly pageToken?: string;
}

const ABSENT = new Error('absent');
const DISABLED = new Error('disabled');

const loadService = (): ServiceClientConstructor => {
  const require = createRequire(import.meta.url);
  const protos: Parameters<
    typeof fromJSON
  >[0] = require('@google-cloud/secret-manager/build/protos/protos.json');
  const definition = fromJSON(protos, { longs: String, enums: String, defaults: true });
  const service = definition['google.cloud.secretmanager.v1.SecretManagerService'];
  if (service === undefined) throw new Error('The protos of @google-cloud/secret-manager have no service.');
  const loaded = loadPackageDefinition({ SecretManagerService: service })['SecretManagerService'];
  return loaded as ServiceClientConstructor;
};
