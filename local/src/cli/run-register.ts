import { z } from 'zod';
import type { LocalStack } from '../stack.ts';

const status = z.object({ active_members: z.int(), last_run: z.object({ status: z.string() }).nullable() });

/** Runs the register's hourly sync once, and tells what its API says of it: lines for a person. */
export const runRegister = async (stack: LocalStack): Promise<string[]> => {
  if (stack.postgres === null) return [];
  const urlOf = (name: string): string =>
    stack.functions.functions.find((one) => one.name === name)?.url ?? '';
  await fetch(urlOf('membershipSyncHourly'), { method: 'POST' });
  const api = urlOf('membershipSync').replace(/\/$/, '');
  const answer = await fetch(`${api}/sync/status`, {
    headers: { authorization: `Bearer ${stack.secrets.ADMIN_API_KEY.split(' ')[0]}` },
  });
  const read = status.safeParse(await answer.json().catch(() => null));
  if (!read.success) return [`The register: ${api}/sync/status answered ${answer.status}; its log says why.`];
  const { active_members, last_run } = read.data;
  return [
    `The register: ${active_members} active members in ${stack.postgres.url}, last run ${last_run?.status ?? 'none'}`,
    `  ${api}/sync/status, with ADMIN_API_KEY as the bearer token; ${api}/docs`,
  ];
};
