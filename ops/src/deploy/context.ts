import type { DeployedFunction } from './deployed-functions.ts';
import type { IamTable } from './iam-table.ts';
import type { Settings } from './settings.ts';
import type { Shell } from './shell.ts';

export interface DeployOptions {
  readonly project: string;
  readonly dryRun: boolean;
  /** Handed on to `firebase deploy`: lets it delete functions that the source has no more, and switch retries on. */
  readonly force: boolean;
  /** Where the functions answer. */
  readonly url: string;
  /** The service account as which the smoke test calls; null: the first of ADMIN_SERVICE_ACCOUNTS. */
  readonly operatorAccount: string | null;
  /** The database's user that owns the register's schema. */
  readonly databaseOwner: string | null;
  /** Holds `.env.<project>`. */
  readonly settingsFolder: string;
  readonly pollSeconds: number;
  readonly waitMinutes: number;
}

/** What every step of a deployment works with. */
export interface DeployContext {
  readonly options: DeployOptions;
  readonly shell: Shell;
  readonly functions: readonly DeployedFunction[];
  readonly iam: IamTable;
  /** Read once; throws when they are wrong. */
  readonly settings: () => Promise<Settings>;
  readonly say: (line: string) => void;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
}

/** Arguments that name the project; `gcloud` takes nothing from its own configuration. */
export const inProject = ({ options }: Pick<DeployContext, 'options'>): readonly string[] => [
  `--project=${options.project}`,
];
