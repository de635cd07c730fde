import type { HttpBindings } from '@hono/node-server';
import type { Fault } from '../faults/fault.ts';

/** What the handlers of one request share. */
export interface RegistryEnv {
  Bindings: HttpBindings;
  Variables: {
    /** How this request's answer misbehaves; empty for an honest answer. */
    fault: Fault;
  };
}
