import type { Context } from 'hono';
import type { z } from 'zod';
import type { RegistryEnv } from './env.ts';

/** The errors of Django REST framework, in its own words, so that a client meets the same shapes as in production. */

export const detail = (
  c: Context<RegistryEnv>,
  status: 400 | 401 | 404 | 405 | 415,
  text: string,
): Response => c.json({ detail: text }, status);

/** 405 with the methods that are served; the last handler of every path. */
export const methodNotAllowed =
  (allow: string) =>
  (c: Context<RegistryEnv>): Response => {
    c.header('Allow', `${allow}, OPTIONS`);
    return detail(c, 405, `Method "${c.req.method}" not allowed.`);
  };

/** The JSON body under a schema, or the 400 or 415 that the framework would answer. Messages name paths, not values. */
export const readBody = async <T>(c: Context<RegistryEnv>, schema: z.ZodType<T>): Promise<T | Response> => {
  const type = c.req.header('content-type') ?? '';
  if (!/^application\/json\b/i.test(type))
    return detail(c, 415, `Unsupported media type "${type}" in request.`);
  let body: unknown;
  try {
    body = JSON.parse(await c.req.text());
  } catch {
    return detail(c, 400, 'JSON parse error - the body is not JSON.');
  }
  const parsed = schema.safeParse(body);
  return parsed.success ? parsed.data : c.json(fieldErrors(parsed.error), 400);
};

/** `{"field": ["what is wrong with it"]}`, one entry a path. */
export const fieldErrors = (error: z.ZodError): Record<string, string[]> => {
  const errors: Record<string, string[]> = {};
  for (const { path, message } of error.issues) {
    const name = path.length === 0 ? 'non_field_errors' : path.map(String).join('.');
    errors[name] = [...(errors[name] ?? []), message];
  }
  return errors;
};
