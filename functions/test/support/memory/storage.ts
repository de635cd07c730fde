import type { Storage } from '@google-cloud/storage';
import type { MakeCall } from './call.ts';

interface Version {
  readonly name: string;
  readonly generation: string;
  readonly bytes: Uint8Array;
  /** Custom metadata. */
  metadata: Readonly<Record<string, string>>;
  readonly timeCreated: string;
  timeDeleted: string | undefined;
}

/** One version of an object that another replaced, or that was the first. */
export interface Published {
  readonly name: string;
  readonly before: Uint8Array | null;
  readonly after: Uint8Array;
  readonly metadata: Version['metadata'];
}

/**
 * A versioned bucket of Cloud Storage in memory, as far as this project's adapters use the client. A write is compared with the
 * generation that it names when it takes effect.
 */
export const makeMemoryStorage = (
  now: () => number,
  onPublish: (published: Published) => void = () => undefined,
) => {
  let versions: Version[] = [];
  /** Far from any number that a caller would make up, as Cloud Storage's are. */
  let generations = 1_000_000;
  const live = (name: string): Version | undefined =>
    versions.find((one) => one.name === name && one.timeDeleted === undefined);
  const iso = (): string => new Date(now()).toISOString();
  const refused = (code: number): Error =>
    Object.assign(new Error(`Cloud Storage answered ${code}`), { code });
  /** `ifGeneration`: 0 for none. */
  const matched = (name: string, ifGeneration: number | string | undefined): Version | undefined => {
    const found = live(name);
    if (ifGeneration !== undefined && (found?.generation ?? '0') !== String(ifGeneration)) throw refused(412);
    return found;
  };

  const publish = (
    name: string,
    bytes: Uint8Array,
    metadata: Version['metadata'],
    match?: number | string,
  ) => {
    const before = matched(name, match);
    if (before !== undefined) before.timeDeleted = iso();
    generations += 1;
    const [generation, timeCreated] = [String(generations), iso()];
    const version = { name, generation, bytes: bytes.slice(), metadata, timeCreated, timeDeleted: undefined };
    versions.push(version);
    onPublish({ name, before: before?.bytes ?? null, after: version.bytes, metadata });
    return version;
  };

  /** The client of one process. */
  const clientOf = (call: MakeCall): Storage => {
    const request = <T>(what: string, effect: () => T): Promise<T> => call('storage', what, effect);
    const fileOf = (name: string, { generation }: { readonly generation?: string } = {}) => {
      const find = (): Version => {
        const found =
          generation === undefined ? live(name) : versions.find((one) => one.generation === generation);
        if (found === undefined) throw refused(404);
        return found;
      };
      const file = {
        name,
        bucket,
        storage: client,
        interceptors: [] as unknown[],
        getMetadata: () => request('read metadata', () => [{ ...find() }]),
        createReadStream: () => {
          let respond = (_answer: { readonly headers: object }): void => undefined;
          const stream = {
            on: (_event: 'response', listener: typeof respond) => {
              respond = listener;
              return stream;
            },
            destroy: () => undefined,
            async *[Symbol.asyncIterator]() {
              const found = await request('read a version', find);
              respond({ headers: { 'x-goog-generation': found.generation } });
              yield found.bytes;
            },
          };
          return stream;
        },
        /** A multipart upload. */
        request: async ({ qs, body }: { readonly qs: Match; readonly body: Buffer }) => {
          const { bytes, metadata } = partsOf(body);
          return [
            await request('publish', () => ({ ...publish(name, bytes, metadata, qs.ifGenerationMatch) })),
          ];
        },
        setMetadata: ({ metadata }: Custom, { ifGenerationMatch }: Match) =>
          request('refresh metadata', () => {
            const found = matched(name, ifGenerationMatch);
            if (found === undefined) throw refused(404);
            found.metadata = metadata;
          }),
        delete: () =>
          request('delete a version', () => {
            const gone = find();
            versions = versions.filter((one) => one !== gone);
          }),
      };
      return file;
    };
    const bucket = {
      file: fileOf,
      getMetadata: () => request('read what the bucket keeps', () => [{}]),
      getFiles: ({ prefix, ...which }: { prefix: string; versions?: true; softDeleted?: true }) =>
        request('list versions', () => {
          const found = versions.filter(
            (one) =>
              one.name.startsWith(prefix) &&
              which.softDeleted !== true &&
              (which.versions === true || one.timeDeleted === undefined),
          );
          return [found.map((one) => Object.assign(fileOf(one.name), { metadata: { ...one } }))];
        }),
    };
    const client = {
      bucket: () => bucket,
      retryOptions: { maxRetries: 1, maxRetryDelay: 4 },
      timeout: 30_000,
    };
    return client as unknown as Storage;
  };

  return { clientOf, held: (name: string): Uint8Array | null => live(name)?.bytes ?? null };
};

export type MemoryStorage = ReturnType<typeof makeMemoryStorage>;

interface Match {
  readonly ifGenerationMatch: number | string;
}

interface Custom {
  readonly metadata: Version['metadata'];
}

const partsOf = (body: Buffer): Pick<Version, 'bytes' | 'metadata'> => {
  const [inFirst, inSecond] = [body.indexOf(HEADERS_END) + 4, body.lastIndexOf(HEADERS_END) + 4];
  const described = body.subarray(inFirst, body.indexOf('\r\n--', inFirst)).toString();
  const { metadata } = JSON.parse(described) as Custom;
  return { metadata, bytes: body.subarray(inSecond, body.lastIndexOf('\r\n--')) };
};
const HEADERS_END = '\r\n\r\n';
