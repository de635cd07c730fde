import { fileURLToPath } from 'node:url';
import type { LogLine } from '../../src/functions/log-lines.ts';
import {
  type LocalFunctions,
  type StartFunctionsOptions,
  startFunctions,
} from '../../src/functions/start-functions.ts';

export const PROJECT = 'demo-host';

export const fixturePath = (name: string): string =>
  fileURLToPath(new URL(`./fixtures/${name}.ts`, import.meta.url));

export interface FixtureHost {
  readonly functions: LocalFunctions;
  readonly lines: readonly LogLine[];
  /** The address of a function of the fixture in its own region. */
  url(name: string): string;
  /** Fulfilled with the first line, past or to come, that the test accepts. */
  logged(accept: (line: LogLine) => boolean): Promise<LogLine>;
}

/** The fixture's functions on a free port, with their log collected. */
export async function startFixture(options: Partial<StartFunctionsOptions> = {}): Promise<FixtureHost> {
  const lines: LogLine[] = [];
  const watchers = new Set<() => void>();
  const functions = await startFunctions({
    modulePath: fixturePath('functions'),
    projectId: PROJECT,
    port: 0,
    retry: { minDelayMs: 20, maxDelayMs: 100 },
    onLog(line) {
      lines.push(line);
      for (const watch of watchers) watch();
    },
    ...options,
  });
  return {
    functions,
    lines,
    url(name) {
      const found = functions.functions.find((one) => one.name === name);
      if (found === undefined) throw new Error(`the fixture has no function ${name}`);
      return found.url;
    },
    logged(accept) {
      return new Promise((resolve) => {
        const watch = () => {
          const line = lines.find(accept);
          if (line === undefined) return;
          watchers.delete(watch);
          resolve(line);
        };
        watchers.add(watch);
        watch();
      });
    },
  };
}
