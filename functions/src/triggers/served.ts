import { createRequire } from 'node:module';
import { functionTarget } from '../settings.ts';

const require = createRequire(import.meta.url);

/** The parts of the SDK that bring an HTTP server's and Firestore's libraries with them. */
export const https = (): typeof import('firebase-functions/https') => require('firebase-functions/https');
export const firestore = (): typeof import('firebase-functions/firestore') =>
  require('firebase-functions/firestore');

/**
 * The function `name`, made only in a process that serves it or looks at all of them: each deployed function is an
 * instance of its own, and would load at every cold start what only its neighbours need. `name` is the name of its
 * export. Elsewhere it is undefined, whatever its type says, and nobody asks for it.
 *
 * Loaded with `require`, since an entry module that awaits is refused by the official emulator
 * (https://github.com/firebase/firebase-tools/issues/8589).
 */
export const served = <Made>(name: string, make: () => Made): Made =>
  [undefined, name].includes(functionTarget()) ? make() : (undefined as Made);
