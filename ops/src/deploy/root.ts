import { fileURLToPath } from 'node:url';

/** The repository's folder, wherever a command is started from. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
