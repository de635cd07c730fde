import { type FunctionEndpoint, tryReadEndpoint } from './endpoint.ts';

/** A function as firebase-functions exports it: called with (req, res), or with a CloudEvent. */
export type Handler = (...args: unknown[]) => unknown;

export interface DiscoveredFunction {
  readonly endpoint: FunctionEndpoint;
  readonly handler: Handler;
}

export interface Discovery {
  readonly functions: readonly DiscoveredFunction[];
  /** Exports with a trigger that the local stack does not serve. */
  readonly unserved: readonly string[];
}

/**
 * Finds the deployed functions among a module's exports by the rule of firebase-functions' own loader:
 * a function with an `__endpoint` is one; a plain object is a group, whose members are named `group-member`.
 */
export function discoverFunctions(exports: object, prefix = ''): Discovery {
  const functions: DiscoveredFunction[] = [];
  const unserved: string[] = [];
  for (const [key, value] of Object.entries(exports)) {
    const name = prefix + key;
    if (isHandler(value)) {
      const manifest = '__endpoint' in value ? value.__endpoint : undefined;
      if (typeof manifest !== 'object' || manifest === null) continue;
      const endpoint = tryReadEndpoint(name, manifest);
      if (endpoint === null) unserved.push(name);
      else functions.push({ endpoint, handler: value });
    } else if (typeof value === 'object' && value !== null) {
      const group = discoverFunctions(value, `${name}-`);
      functions.push(...group.functions);
      unserved.push(...group.unserved);
    }
  }
  return { functions, unserved };
}

function isHandler(value: unknown): value is Handler {
  return typeof value === 'function';
}
