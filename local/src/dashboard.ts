import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { proxy } from 'hono/proxy';
import { type LoopbackServer, onlyLoopback, serveOnLoopback } from './loopback.ts';

const DIST = fileURLToPath(new URL('../../dashboard/dist', import.meta.url));
const DEVELOPMENT_TOKENS = '/_dev/tokens';

export interface DashboardOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** The local functions of this project and region: `http://127.0.0.1:5001/demo-ekklesia/europe-west2`. */
  readonly functionsUrl: string;
  /** The local Auth endpoint: `http://127.0.0.1:9099`. */
  readonly authUrl: string;
  readonly projectId: string;
}

/**
 * Serves the built dashboard as Firebase Hosting does: its files and headers, `/api/**` to `opsApi`, and
 * `/__/firebase/init.json`. In place of Firebase Authentication it hands on the local Auth endpoint's development tokens,
 * and so it answers this machine only.
 * @throws Error with a message for a person: the build missing, the port in use.
 */
export const startDashboard = (options: DashboardOptions): Promise<LoopbackServer> => {
  if (!existsSync(DIST)) {
    throw new Error('dashboard/dist is missing. Build it first: npm run build --workspace dashboard');
  }
  return serveOnLoopback(makeDashboardApp(options).fetch, options.port);
};

const makeDashboardApp = ({ functionsUrl, authUrl, projectId }: DashboardOptions): Hono => {
  const headers = readHostingHeaders();
  const app = new Hono();
  app.use(onlyLoopback);
  app.use(async (context, next) => {
    await next();
    for (const { key, value } of headers) {
      // An answer of the API keeps its own: it is never cached.
      if (!context.res.headers.has(key)) context.res.headers.set(key, value);
    }
  });
  app.all('/api/*', ({ req }) => {
    const { pathname, search } = new URL(req.url);
    return proxy(`${functionsUrl}/opsApi${pathname}${search}`, req);
  });
  app.post(DEVELOPMENT_TOKENS, ({ req }) => proxy(`${authUrl}${DEVELOPMENT_TOKENS}`, req));
  app.get('/__/firebase/init.json', (context) =>
    context.json({ projectId, apiKey: 'local', developmentTokens: DEVELOPMENT_TOKENS }),
  );
  app.get('*', serveStatic({ root: DIST }));
  return app;
};

const FIREBASE_JSON = new URL('../../firebase.json', import.meta.url);

type Header = { readonly key: string; readonly value: string };

/**
 * The headers that Firebase Hosting sends with every page, read from what is deployed, so that a page that its
 * Content-Security-Policy would break is broken here too. Those of some paths only (caching) are left out.
 * @throws Error when `firebase.json` has no hosting.
 */
const readHostingHeaders = (): readonly Header[] => {
  const config = JSON.parse(readFileSync(FIREBASE_JSON, 'utf8'));
  const rules: readonly { readonly source: string; readonly headers: readonly Header[] }[] =
    config.hosting.headers;
  return rules.filter(({ source }) => source === '**').flatMap(({ headers }) => headers);
};
