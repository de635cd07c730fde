import { isPlaceholder } from '../domain/kennitala.ts';
import type { MemberChange } from '../domain/member/member-change.ts';
import { type EventResult, type ReferTo, type RowStore, SAID, type StagedMember } from './ports.ts';
import type { RegisterLogs } from './register-logs.ts';
import { toStagedMember } from './staged-member.ts';

/**
 * Applies one registry event to the register, for when the webhook keeps it up to date between the hourly runs. Order and
 * repetition do not matter: the version decides, as for the portal. The next run mends what an event could not.
 */
export const applyEvent = async (
  change: MemberChange,
  { rows, referTo, logs, now }: { rows: RowStore; referTo: ReferTo; logs: RegisterLogs; now: () => Date },
): Promise<EventResult> => {
  const { kennitala, version, action } = change;
  const result = isPlaceholder(kennitala)
    ? 'skipped'
    : change.action === 'delete'
      ? await rows.deactivate({ kennitala, version }, now())
      : await rows.upsert(withVersion(toStagedMember(change.content).member, version), now());
  logs.eventApplied(referTo(kennitala), action, result);
  return result;
};

/** The event's own version counts; the one in the member is of the same change. */
const withVersion = (member: StagedMember, version: number | null): StagedMember =>
  version === null ? member : { ...member, version, said: member.said | SAID.version };
