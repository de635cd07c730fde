import { startStorage } from '../../../src/storage/index.ts';

/**
 * A server process for folder.test.ts to kill: `node server-process.ts <directory>` prints its address and
 * serves until then.
 */
const [directory = ''] = process.argv.slice(2);
const server = await startStorage({ directory });
process.stdout.write(`${server.url}\n`);
