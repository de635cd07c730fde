import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDashboard } from '../../local/src/dashboard.ts';
import { portsWithOffset } from '../../local/src/ports.ts';
import { openPortalView, type PortalView } from '../../local/src/scenarios/portal-view.ts';
import { type LocalStack, PROJECT_ID, REGION, startStack } from '../../local/src/stack.ts';
import { findFreeOffset } from '../../ops/test/cli/free-offset.ts';

export interface Everything {
  readonly stack: LocalStack;
  readonly portal: PortalView;
  /** Where the dashboard is served. */
  readonly url: string;
  close(): Promise<void>;
}

/** The real local stack with an empty data folder, and the built dashboard in front of it. */
export const startEverything = async (members: number): Promise<Everything> => {
  const data = await mkdtemp(join(tmpdir(), 'dashboard-stack-'));
  const stack = await startStack({ data, ports: portsWithOffset(await findFreeOffset()), members });
  const dashboard = await startDashboard({
    port: 0,
    functionsUrl: `${stack.functions.url}/${PROJECT_ID}/${REGION}`,
    authUrl: `http://${stack.auth.emulatorHost}`,
    projectId: PROJECT_ID,
  });
  const portal = openPortalView(stack);
  return {
    stack,
    portal,
    url: dashboard.url,
    close: async () => {
      await portal.close();
      await dashboard.close();
      await stack.close();
      await rm(data, { recursive: true, maxRetries: 5 });
    },
  };
};
