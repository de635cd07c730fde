import { OpsError } from './ops-error.ts';
import { isInteractive, type Terminal } from './terminal.ts';

/** Longer than anything that is asked for here. */
const MOST_CHARACTERS = 2_000;

/** A person said no, or left the question. */
const REFUSED = 'Nothing was done.';

/**
 * Asks before something is written. `--yes` answers for scripts.
 * Throws OpsError when the answer is no, or when nobody is there to give one.
 */
export const confirm = async (terminal: Terminal, question: string, isAgreed: boolean): Promise<void> => {
  if (isAgreed) return;
  if (!isInteractive(terminal)) {
    throw new OpsError(
      'This writes, and there is no terminal to ask. If it is meant, say --yes. Nothing was done.',
    );
  }
  const { confirm: ask } = await import('@inquirer/prompts');
  const isMeant = await answered(ask({ message: question, default: false }, promptContext(terminal)));
  if (!isMeant) throw new OpsError(REFUSED);
};

export interface PersonalQuestion {
  readonly message: string;
  /** What is wrong with an answer; null: nothing. */
  readonly fault: (text: string) => string | null;
}

/**
 * A personal value, from a question or from standard input, never from an argument: arguments end in the shell's
 * history and in the list of processes. The question is wiped from the screen once it is answered.
 */
export const readPersonal = async (
  terminal: Terminal,
  { message, fault }: PersonalQuestion,
): Promise<string> => {
  if (!isInteractive(terminal)) {
    const text = await readAll(terminal.stdin);
    const wrong = fault(text);
    if (wrong !== null) throw new OpsError(`Standard input: ${wrong}`);
    return text;
  }
  const { input } = await import('@inquirer/prompts');
  return answered(
    input(
      { message, validate: (text) => fault(text.trim()) ?? true },
      { ...promptContext(terminal), clearPromptOnDone: true },
    ),
  ).then((text) => text.trim());
};

export interface Choice<T> {
  readonly name: string;
  readonly value: T;
}

/** One of several, on a terminal. */
export const choose = async <T>(
  terminal: Terminal,
  message: string,
  choices: readonly Choice<T>[],
): Promise<T> => {
  const { select } = await import('@inquirer/prompts');
  return answered(select<T>({ message, choices: [...choices] }, promptContext(terminal)));
};

const promptContext = ({ stdin, stderr }: Terminal) => ({ input: stdin, output: stderr });

const answered = async <T>(asking: Promise<T>): Promise<T> => {
  try {
    return await asking;
  } catch (cause) {
    // Ctrl-C, or the end of the input.
    if (cause instanceof Error && cause.name === 'ExitPromptError') throw new OpsError(REFUSED, { cause });
    throw cause;
  }
};

const readAll = async (stdin: Terminal['stdin']): Promise<string> => {
  let text = '';
  for await (const chunk of stdin) {
    text += String(chunk);
    if (text.length > MOST_CHARACTERS) throw new OpsError('Standard input: more than one value.');
  }
  return text.trim();
};
