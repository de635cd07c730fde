import { defineBoolean, defineInt, defineString, type Param, select } from 'firebase-functions/params';
import { z } from 'zod';

/** One setting: how it is read, and, if a person sets it, how `firebase deploy` asks for it. */
export interface Setting<Schema extends z.ZodType> {
  readonly schema: Schema;
  readonly asked: Asked | null;
}
export interface Asked {
  readonly label: string;
  readonly description: string;
  /** In `.env.example`: the default, or an example of what has none. */
  readonly shown: string;
  /** The words that are allowed; empty: no fixed ones. */
  readonly choices: readonly string[];
  readonly define: (name: string) => Param<string | number | boolean>;
}

const withDefault = <T extends z.ZodType>(schema: T, value: string) =>
  z.preprocess((read) => (read === undefined || read === '' ? value : read), schema);

/** A setting that is a text, with a default. */
export const text = <T extends z.ZodType>(usual: string, schema: T, label: string, description = '') => ({
  schema: withDefault(schema, usual),
  asked: {
    label,
    description,
    shown: usual,
    choices: [],
    define: (name: string) => defineString(name, { label, description, default: usual }),
  },
});

export const choice = <const Words extends readonly [string, ...string[]]>(
  words: Words,
  label: string,
  description = '',
) => {
  const { schema, asked } = text(words[0], z.enum(words, { error: inWords(words) }), label, description);
  const define = (name: string) =>
    defineString(name, { label, description, default: words[0], input: select([...words]) });
  return { schema, asked: { ...asked, choices: words, define } };
};

const inWords = (words: readonly string[]): string => `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

export const flag = (label: string, description = '') => ({
  schema: withDefault(
    z.enum(['true', 'false'], { error: 'true or false' }).transform((read) => read === 'true'),
    'false',
  ),
  asked: {
    label,
    description,
    shown: 'false',
    choices: ['true', 'false'],
    define: (name: string) => defineBoolean(name, { label, description, default: false }),
  },
});

export const integer = (least: number, most: number, usual: number, label: string, description = '') => {
  const allowed = `a whole number from ${least} to ${most}`;
  return {
    schema: withDefault(
      z
        .string()
        .regex(/^\s*\d+\s*$/, { error: allowed })
        .transform(Number)
        .refine((n) => n >= least && n <= most, { error: allowed }),
      String(usual),
    ),
    asked: {
      label,
      description,
      shown: String(usual),
      choices: [],
      define: (name: string) => defineInt(name, { label, description, default: usual }),
    },
  };
};

const partsOf = (read: string): string[] =>
  read
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
export const list = (
  label: string,
  description: string,
  form = /^\S+$/,
  allowed = 'entries without spaces',
) =>
  text(
    '',
    z
      .string()
      .transform(partsOf)
      .refine((parts) => parts.every((part) => form.test(part)), {
        error: `${allowed}, separated by commas`,
      }),
    label,
    description,
  );

/** Empty, or of this form. */
export const optional = (form: RegExp, allowed: string, label: string, description: string) =>
  text(
    '',
    z.string().refine((read) => read === '' || form.test(read), { error: allowed }),
    label,
    description,
  );

const SECRET_NAME = 'a Secret Manager name: letters, digits, - and _, at most 255';
export const secret = (usual: string, label: string, description = '') =>
  text(usual, z.string().regex(/^[A-Za-z0-9_-]{1,255}$/, { error: SECRET_NAME }), label, description);

/** Set by the platform or by an emulator, never by a person. */
export const given = <T extends z.ZodType>(schema: T) => ({ schema, asked: null });

/** Where the database is: a Cloud SQL instance reached with our own identity, or a URL. */
export type DatabaseTarget =
  | {
      readonly kind: 'cloud-sql';
      /** `project:region:instance` */
      readonly instance: string;
      readonly database: string;
      /** The IAM database user; null: the service account of this process. */
      readonly user: string | null;
      readonly ipType: 'PUBLIC' | 'PRIVATE' | 'PSC';
    }
  | { readonly kind: 'url'; readonly url: string };

export const isHttpUrl = (value: string): boolean => {
  const url = URL.parse(value);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '';
};
