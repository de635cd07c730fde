import type { FunctionEndpoint } from './endpoint.ts';
import type { FunctionsHostErrorCode } from './errors.ts';

/** What the host tells the functions' process, as its one argument, in JSON. */
export interface ChildConfig {
  readonly modulePath: string;
  readonly projectId: string;
  readonly host: string;
  readonly port: number;
}

/** What the functions' process tells the host. */
export type ChildMessage =
  | { readonly type: 'ready'; readonly port: number; readonly endpoints: readonly FunctionEndpoint[] }
  | { readonly type: 'failed'; readonly code: FunctionsHostErrorCode; readonly message: string }
  | {
      readonly type: 'event';
      readonly name: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Uint8Array;
    };
