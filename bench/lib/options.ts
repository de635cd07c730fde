import { parseArgs } from 'node:util';

export interface CommandLine {
  readonly names: readonly string[];
  readonly sizes: readonly number[] | null;
  readonly rounds: number | null;
  readonly json: boolean;
  readonly check: boolean;
  readonly help: boolean;
}

/** Throws an error whose message is for the person at the keyboard: an unknown name or option, a bad number. */
export const parseCommandLine = (args: readonly string[], known: readonly string[]): CommandLine => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      sizes: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new RangeError(`No such benchmark: ${unknown.join(', ')}.`);
  return {
    names: positionals,
    sizes: values.sizes === undefined ? null : values.sizes.split(',').map((n) => parseCount('--sizes', n)),
    rounds: values.rounds === undefined ? null : parseCount('--rounds', values.rounds),
    json: values.json,
    check: values.check,
    help: values.help,
  };
};

const parseCount = (option: string, text: string): number => {
  const count = Number(text.replaceAll('_', ''));
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`${option}: a whole number above 0 is needed.`);
  return count;
};
