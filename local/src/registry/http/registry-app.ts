import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { appendTrailingSlash } from 'hono/trailing-slash';
import { makeControlRoutes } from '../control/control-routes.ts';
import type { Controls, Settings } from '../control/controls.ts';
import type { FaultPlan } from '../faults/fault-plan.ts';
import { faultyContent, faultyTransport } from '../faults/faulty-answers.ts';
import { LOGIN_PAGE } from '../faults/login-page.ts';
import type { LegacyRegistry } from '../legacy/legacy-registry.ts';
import { makeDigests } from '../members/digests.ts';
import type { RegistryState } from '../state/registry-state.ts';
import type { RegistryEnv } from './env.ts';
import { addMemberRoutes } from './member-routes.ts';
import { addSyncRoutes } from './sync-routes.ts';
import { tokenAuth } from './token-auth.ts';

export interface AppOptions {
  readonly state: RegistryState;
  readonly plan: FaultPlan;
  readonly settings: Settings;
  readonly controls: Controls;
  readonly legacy: LegacyRegistry;
  readonly authScheme: 'Token' | 'Bearer';
}

/** The registry over HTTP. Faults stand before the token check, as the proxy and the login page do in production. */
export const makeRegistryApp = ({
  state,
  plan,
  settings,
  controls,
  legacy,
  authScheme,
}: AppOptions): Hono<RegistryEnv> => {
  const app = new Hono<RegistryEnv>();
  const companion = (): boolean => settings.companion;

  app.route('/_control', makeControlRoutes(controls));
  app.get('/accounts/login/', (c) => c.html(LOGIN_PAGE));

  app.use('/api/*', faultyTransport(plan));
  app.use('/api/*', compress());
  app.use('/api/*', faultyContent);
  app.use('/api/*', appendTrailingSlash());
  app.use(
    '/api/*',
    tokenAuth(() => ({ scheme: authScheme, token: settings.token })),
  );
  const digests = makeDigests(state.directory);
  addMemberRoutes(app, state.directory, digests, companion, legacy);
  addSyncRoutes(app, state, digests, companion, legacy.isOn);

  app.notFound((c) => c.json({ detail: 'Not found.' }, 404));
  // The stack goes to the developer's terminal; the data are made up, but the answer stays as bare as production's.
  app.onError((error, c) => {
    console.error(error);
    return c.json({ detail: 'A server error occurred.' }, 500);
  });
  return app;
};
