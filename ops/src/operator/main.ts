import { Command } from 'commander';
import { initializeApp } from 'firebase-admin/app';
import { type Auth, getAuth } from 'firebase-admin/auth';
import { parseEmail, parseProject } from '../deploy/parse-options.ts';
import { addOperator, listOperators, OperatorError, removeOperator } from './operators.ts';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const withAuth = async (project: string, use: (auth: Auth) => Promise<void>): Promise<void> => {
  // Identity Toolkit refuses a person's own credentials that name nobody who pays.
  process.env['GOOGLE_CLOUD_QUOTA_PROJECT'] ??= project;
  try {
    await use(getAuth(initializeApp({ projectId: project })));
  } catch (cause) {
    say(`FAILED: ${explain(cause)}`);
    process.exitCode = 1;
  }
};

const explain = (cause: unknown): string => {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof OperatorError) return text;
  if (/default credentials|invalid_grant|reauth/i.test(text)) {
    return 'nobody is signed in: gcloud auth application-default login';
  }
  return `${text.split('\n')[0]} (roles/firebaseauth.admin is needed)`;
};

const program = new Command()
  .name('npm run operator --')
  .description('Says who may use the page of the operators and their API: the role admin of a Firebase user.')
  .addHelpText('after', '\nExample:\n  npm run operator -- add anna@example.is --project ekklesia-prod');

const command = (name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .requiredOption('--project <id>', 'the project', parseProject);

command('add <email>', 'give the role to somebody who has an account').action(
  (email: string, { project }: { project: string }) =>
    withAuth(project, async (auth) => {
      const isNew = await addOperator(auth, parseEmail(email));
      say(isNew ? 'Done: from their next sign-in.' : 'They had the role already.');
    }),
);
command('remove <email>', 'take it away, and end their sessions').action(
  (email: string, { project }: { project: string }) =>
    withAuth(project, async (auth) => {
      const had = await removeOperator(auth, parseEmail(email));
      say(had ? 'Done: their sessions have ended.' : 'They did not have the role.');
    }),
);
command('list', 'show who has it').action(({ project }: { project: string }) =>
  withAuth(project, async (auth) => {
    const found = await listOperators(auth);
    say(found.length === 0 ? 'Nobody.' : found.join('\n'));
  }),
);

await program.parseAsync();
