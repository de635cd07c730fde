/**
 * The one function that this process serves, as the platform names it before it loads the module
 * (https://cloud.google.com/functions/docs/configuring/env-var, "runtime environment variables set automatically").
 * Missing where the module is only looked at (`firebase deploy`) or serves everything (the local stack).
 *
 * No setting, so it is not in `config.ts`, which every start would pay for here: it loads zod.
 */
export const FUNCTION_TARGET: string | undefined = process.env['FUNCTION_TARGET'] || undefined;
