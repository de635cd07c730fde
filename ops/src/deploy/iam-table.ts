import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ASKED } from '../../../functions/src/settings.ts';
import { tablesIn } from './markdown-tables.ts';
import { ROOT } from './root.ts';

/** What `get-iam-policy` answers. A binding may be under a condition. */
export const iamPolicy = z.object({
  bindings: z
    .array(z.object({ role: z.string(), members: z.array(z.string()), condition: z.unknown().optional() }))
    .default([]),
});

/** What a role is given on. A secret by its usual name, a function by its exported one. */
export type Place =
  | { readonly kind: 'project' }
  | { readonly kind: 'bucket' }
  | { readonly kind: 'secret'; readonly name: string }
  | { readonly kind: 'function'; readonly name: string };

export interface Account {
  /** The part of the e-mail address before the @. */
  readonly name: string;
  readonly functions: readonly string[];
  readonly does: string;
}

export interface Grant {
  readonly account: string;
  readonly role: string;
  readonly on: Place;
  /** The setting with which alone it is needed; null: always. */
  readonly when: Condition | null;
  readonly why: string;
}

/** A setting of `functions/.env.<project>`. Without a value: that it has any. */
export interface Condition {
  readonly setting: string;
  readonly value: string | null;
}

export interface IamTable {
  readonly accounts: readonly Account[];
  /** One a role and place. */
  readonly grants: readonly Grant[];
}

/** `docs/iam.md`. Throws an Error that quotes the row that cannot be read. */
export const readIamTable = async (): Promise<IamTable> =>
  parseIamTable(await readFile(join(ROOT, 'docs/iam.md'), 'utf8'));

/** The two tables, found by their headings. Throws an Error that quotes the row that cannot be read. */
export const parseIamTable = (markdown: string): IamTable => {
  const tables = tablesIn(markdown);
  const rowsUnder = (...headings: string[]): readonly (readonly string[])[] => {
    const found = tables.find(({ header }) => header.join('|') === headings.join('|'));
    if (found === undefined)
      throw new Error(`docs/iam.md has no table with the columns ${headings.join(', ')}.`);
    return found.rows;
  };
  const accounts = rowsUnder('account', 'functions', 'what it does').map(
    ([name = '', functions = '', does = '']): Account => ({ name, functions: namesIn(functions), does }),
  );
  const known = new Set(accounts.map(({ name }) => name));
  const grants = rowsUnder('account', 'role', 'on', 'when', 'why').flatMap((row): Grant[] => {
    const [account = '', role = '', on = '', condition = '', why = ''] = row;
    if (!known.has(account) || !/^roles\/[\w.]+$/.test(role) || why === '') {
      throw new Error(`docs/iam.md: a row of the roles cannot be read: ${row.join(' | ')}`);
    }
    const when = conditionIn(condition);
    return placesIn(on).map((place) => ({ account, role, on: place, when, why }));
  });
  return { accounts, grants };
};

/** The table as it holds with these settings: without the rows that they do not need. */
export const withSettings = (
  { accounts, grants }: IamTable,
  values: Readonly<Record<string, string | undefined>>,
): IamTable => ({
  accounts,
  grants: grants.filter(({ when }) => {
    if (when === null) return true;
    const value = values[when.setting] ?? '';
    return when.value === null ? value !== '' : value === when.value;
  }),
});

/** The full address of an account of the table. */
export const emailOf = (account: string, project: string): string =>
  `${account}@${project}.iam.gserviceaccount.com`;

const placesIn = (text: string): Place[] => {
  if (text === 'project' || text === 'bucket') return [{ kind: text }];
  const [, kind, names] = /^(secret|function)s? (.+)$/.exec(text) ?? [];
  if ((kind !== 'secret' && kind !== 'function') || names === undefined) {
    throw new Error(`docs/iam.md: "${text}" is no place; project, bucket, secret NAME or function NAME are.`);
  }
  return namesIn(names).map((name) => ({ kind, name }));
};

const conditionIn = (text: string): Condition | null => {
  if (text === '') return null;
  const [, setting, value] = /^([A-Z][A-Z0-9_]*)(?:=(\S+))?$/.exec(text) ?? [];
  const isKnown = ASKED.some(({ name }) => name === setting);
  if (setting === undefined || !isKnown) {
    throw new Error(`docs/iam.md: "${text}" is no setting; NAME and NAME=value are.`);
  }
  return { setting, value: value ?? null };
};

const namesIn = (text: string): string[] => text.split(',').map((name) => name.trim());
