export interface EnvironmentOptions {
  readonly projectId: string;
  readonly storageBucket: string;
  /** The functions' own settings and the addresses of the other local services. These win. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a process needs of the host to run at all. */
const INHERITED = ['PATH', 'TMPDIR', 'NODE_EXTRA_CA_CERTS'] as const;

/**
 * The whole environment of the functions' process: what Cloud Run functions set for every function, plus `env`.
 *
 * It does not inherit the developer's environment. `HOME` and `GOOGLE_APPLICATION_CREDENTIALS` lead Google's
 * libraries to a person's credentials, with which a function under test would reach a real project.
 *
 * What names a single function (`FUNCTION_TARGET`, `K_SERVICE`, …) its own process gets in addition.
 */
export function makeEnvironment(options: EnvironmentOptions): Record<string, string> {
  const { projectId, storageBucket } = options;
  const inherited: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) inherited[name] = value;
  }
  return {
    ...inherited,
    GCLOUD_PROJECT: projectId,
    GOOGLE_CLOUD_PROJECT: projectId,
    FIREBASE_CONFIG: JSON.stringify({ projectId, storageBucket }),
    FUNCTIONS_EMULATOR: 'true',
    TZ: 'UTC',
    // Without it Google's libraries look for a metadata server first, and warn after some seconds.
    METADATA_SERVER_DETECTION: 'none',
    ...options.env,
  };
}
