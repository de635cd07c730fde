import type { Command } from 'commander';
import { tryKennitala } from '../../../functions/src/domain/kennitala.ts';
import { readPersonal } from './ask.ts';
import { OpsError } from './ops-error.ts';
import type { Terminal } from './terminal.ts';

/** Stands in the help of a command that is about one person. */
export const KENNITALA_HELP = `
Asks for the kennitala, or reads it from standard input; it is no argument,
since those end in the shell's history. Each use is recorded with your name.`;

/** Refused here: the library's own message would repeat the number on the screen. */
export const refuseArguments = (command: Command): Command =>
  command.allowExcessArguments(true).hook('preAction', (_program, { args }) => {
    if (args.length > 0) throw new OpsError('A kennitala is never an argument: type it when asked.');
  });

export const readKennitala = (terminal: Terminal): Promise<string> =>
  readPersonal(terminal, {
    message: 'Kennitala:',
    fault: (text) => (tryKennitala(text) === null ? 'That is no kennitala: ten digits.' : null),
  });
