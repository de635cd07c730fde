import type { TestProject } from 'vitest/node';
import { makeCluster } from './cluster.ts';

/** For `npm run test:postgres`: one cluster for the whole run, dropped at its end. */
export default async (project: TestProject): Promise<() => Promise<void>> => {
  const cluster = await makeCluster(['max_connections=40']);
  project.provide('postgresUrl', cluster.url);
  return cluster.drop;
};
