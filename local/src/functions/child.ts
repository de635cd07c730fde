/**
 * The functions' process: imports the built module, serves its functions, and reports to the host over IPC.
 * It has one argument, a ChildConfig in JSON.
 */
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { makeChildServer } from './child-server.ts';
import { type Discovery, discoverFunctions } from './discover.ts';
import type { ChildConfig, ChildMessage } from './messages.ts';

/** The code with which the Functions Framework ends a process after an error that nothing caught. */
const UNCAUGHT_EXIT_CODE = 16;
const IDLE_CHECK_MS = 50;

const config: ChildConfig = JSON.parse(process.argv[2] ?? '{}');

process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches every process of the terminal; the host decides when this one ends, after what it still runs.
process.on('SIGINT', () => {});

const discovery = await loadOrReport(config.modulePath);
if (discovery !== null) serve(discovery);

async function loadOrReport(modulePath: string): Promise<Discovery | null> {
  try {
    const found = discoverFunctions(await import(pathToFileURL(modulePath).href));
    if (found.functions.length > 0) return found;
    await fail('the module exports no function');
  } catch (error) {
    await fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return null;
}

function fail(reason: string): Promise<void> {
  return report({
    type: 'failed',
    code: 'load_failed',
    message: `the functions could not be loaded: ${reason}`,
  });
}

function serve({ functions, unserved }: Discovery): void {
  for (const name of unserved)
    console.error(
      JSON.stringify({ severity: 'WARNING', message: 'trigger not served locally', function: name }),
    );

  const server = makeChildServer({ projectId: config.projectId, functions, onEvent: report });
  server.on('error', async (error: NodeJS.ErrnoException) => {
    const code = error.code === 'EADDRINUSE' ? 'port_in_use' : 'ended';
    const advice = 'stop what uses it, or choose others with --port-offset';
    const message = code === 'port_in_use' ? `port ${config.port} is in use: ${advice}` : error.message;
    await report({ type: 'failed', code, message });
  });
  server.listen(config.port, config.host, async () => {
    endOnUncaughtErrors();
    const { port } = server.address() as AddressInfo;
    await report({ type: 'ready', port, endpoints: functions.map((one) => one.endpoint) });
  });
  process.on('SIGTERM', () => {
    server.close(() => process.exit(0));
    // A connection that is kept alive becomes idle only once its last request is answered.
    setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  });
}

/** As in production: such an error ends the instance, and with it every request that it was serving. */
function endOnUncaughtErrors(): void {
  const end = (error: unknown) => {
    console.error(error);
    process.exit(UNCAUGHT_EXIT_CODE);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}

function report(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}
