import { type Command, Option } from 'commander';
import { conflictAnswer, resolveAnswer } from '../../../../functions/src/ops/schemas/two-way.ts';
import type { ConflictDetail, ResolveAnswer } from '../../../../functions/src/ops/schemas.ts';
import { choose, readPersonal } from '../ask.ts';
import type { Cli } from '../cli.ts';
import { conflictsLines, shownValue } from '../conflict-lines.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { OpsError } from '../ops-error.ts';
import { withProgress } from '../progress.ts';
import type { Session } from '../session.ts';
import { isInteractive } from '../terminal.ts';

const EXAMPLE = `
On a terminal it shows both values and asks. --keep value asks for the value, or
reads it from standard input: it is personal, and arguments end in the shell's
history. A look at the values is recorded.

Example:
  npm run ops -- conflicts resolve ID
  npm run ops -- conflicts resolve ID --path profile.email --keep portal --yes`;

const KEEPS = ['portal', 'registry', 'value'] as const;
type Keep = (typeof KEEPS)[number];
type Disputed = ConflictDetail['paths'][string];

interface ResolveOptions {
  readonly path?: string;
  readonly keep?: Keep;
}

export const addResolve = (conflicts: Command, cli: Cli): void => {
  conflicts
    .command('resolve')
    .description('Decides one field: what the member wrote, what the registry has, or another value.')
    .argument('<conflict>', 'id of the conflict')
    .option('--path <field>', 'the field, such as profile.email; needed when several are open')
    .addOption(new Option('--keep <which>', 'what shall stand').choices(KEEPS))
    .addHelpText('after', EXAMPLE)
    .action(
      cli.action(async (session, id: string, options: ResolveOptions) => {
        const { api, terminal, show } = session;
        const address = `/conflicts/${encodeURIComponent(id)}`;
        const { conflict } = await api.get(address, conflictAnswer);
        const path = options.path ?? onlyOpenPath(conflict);
        const disputed = conflict.paths[path];
        if (disputed === undefined) throw new OpsError('That field is not in this conflict.');
        const keep = options.keep ?? (await askKeep(session, path, disputed));
        const chosen = keep === 'value' ? { value: await readValue(session, path, disputed) } : {};
        await session.confirm(`Keep the ${keep === 'value' ? 'new value' : `${keep}'s value`} of ${path}?`);
        const answer = await withProgress(terminal, 'Deciding', () =>
          api.post(`${address}/resolve`, { path, keep, ...chosen }, resolveAnswer),
        );
        show(answer, () => [...conflictsLines([answer.conflict]), sentText(answer)]);
        return EXIT_CODES.done;
      }),
    );
};

const onlyOpenPath = ({ paths }: Pick<ConflictDetail, 'paths'>): string => {
  const open = Object.keys(paths).filter((path) => paths[path]?.state === 'open');
  const [only] = open;
  if (only !== undefined && open.length === 1) return only;
  throw new OpsError(
    open.length === 0
      ? 'Nothing of this conflict is open. To decide a field all the same, name it: --path.'
      : `Several fields are open, name one with --path: ${open.join(', ')}`,
  );
};

const sentText = ({ queued, delivered }: ResolveAnswer): string => {
  if (!queued) return 'Nothing had to be sent.';
  return delivered ? 'The registry has the decision.' : 'The decision is on its way to the registry.';
};

const askKeep = (session: Session, path: string, disputed: Disputed): Promise<Keep> => {
  const { terminal } = session;
  if (!isInteractive(terminal)) throw new OpsError('Without a terminal, say what to keep: --keep.');
  return choose<Keep>(terminal, `${path}: what shall stand?`, [
    { name: `the portal's: ${shownValue(disputed.portal)}`, value: 'portal' },
    { name: `the registry's: ${shownValue(disputed.registry)}`, value: 'registry' },
    { name: 'another value', value: 'value' },
  ]);
};

/** A text as it is typed; what is no text in the field now (a consent, an address) is typed as JSON. */
const readValue = async ({ terminal }: Session, path: string, disputed: Disputed): Promise<unknown> => {
  const isText = [disputed.portal, disputed.registry, disputed.expected].every(
    (value) => value === null || typeof value === 'string',
  );
  const text = await readPersonal(terminal, {
    message: `${path}:`,
    fault: (typed) => (isText || tryJson(typed) !== null ? null : 'This field takes JSON, such as true.'),
  });
  return isText ? text : tryJson(text)?.value;
};

const tryJson = (text: string): { value: unknown } | null => {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
};
