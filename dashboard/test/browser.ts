import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Language } from '../src/texts/format.ts';

/** Debian's first. */
const EXECUTABLES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** Without these it looks for its maker's hosts at every start. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Operator {
  readonly page: Page;
  /** What the page has complained about since the start: errors of the console, and exceptions that nobody caught. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

const findBrowser = (): string => {
  const found = EXECUTABLES.find((path) => existsSync(path));
  if (found === undefined) throw new Error('No Chromium here. On Debian: apt-get install chromium');
  return found;
};

/** A browser of its own, with an empty profile, that speaks one language. */
export const openBrowser = async (language: Language): Promise<Operator> => {
  const profile = await mkdtemp(join(tmpdir(), 'dashboard-browser-'));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: findBrowser(),
    args: ARGUMENTS,
    headless: true,
    locale: language === 'is' ? 'is-IS' : 'en-GB',
    timezoneId: 'Atlantic/Reykjavik',
    permissions: ['clipboard-read', 'clipboard-write'],
    viewport: { width: 1_280, height: 860 },
  });
  const page = context.pages()[0] ?? (await context.newPage());
  // A busy machine takes its time; what is not there after this long does not come.
  page.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    // The page itself shows what the API refuses; a busy machine may answer a status too late, and the next one comes.
    const isOfApi = /\/api\//.test(message.location().url);
    if (!isOfApi && (message.type() === 'error' || message.type() === 'warning')) {
      complaints.push(`${message.text()} (${message.location().url})`);
    }
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return {
    page,
    complaints,
    close: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 3 });
    },
  };
};
