/**
 * A process that imports the built module, reports the functions in it over IPC, and ends. Its one argument is the module's path.
 */
import { pathToFileURL } from 'node:url';
import type { FunctionEndpoint } from './endpoint.ts';
import { discoverFunctions } from './endpoint.ts';

export type Description =
  | { readonly endpoints: readonly FunctionEndpoint[]; readonly unserved: readonly string[] }
  | { readonly failure: string };

const describe = async (modulePath: string): Promise<Description> => {
  try {
    const found = discoverFunctions(await import(pathToFileURL(modulePath).href));
    if (found.length === 0) return { failure: 'the module exports no function' };
    const endpoints = found.flatMap(({ endpoint }) => endpoint ?? []);
    return { endpoints, unserved: found.flatMap(({ name, endpoint }) => (endpoint ? [] : name)) };
  } catch (error) {
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
};

process.send?.(await describe(process.argv[2] ?? ''), () => process.exit(0));
