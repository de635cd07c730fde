import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import type { RunRequest } from '../../src/mirror/run.ts';
import { runRegisterMirror } from '../../src/register/register.ts';
import { referTo } from '../support/servers.ts';
import { type RegisterStack, startRegisterStack } from '../support/stack.ts';

let stack: RegisterStack;
beforeEach(async () => {
  stack = await startRegisterStack();
});
afterEach(async () => {
  await stack.close();
});

const rowOf = async (id: number) => {
  const row = (await stack.members()).find(({ external_id }) => external_id === String(id));
  if (row === undefined) throw new Error(`no row for the registry's member ${id}`);
  return row;
};

/** How often a row was written: its transaction's number changes with every write. */
const writers = () =>
  stack.postgres.sql<{ id: number; xmin: string }>('select id, xmin::text from public.members order by id');

const verifiedAt = async (id: number) => {
  const [row] = await stack.postgres.sql<{ last_verified_at: Date | null }>(
    'select last_verified_at from public.members_verified where id = $1',
    [id],
  );
  return row?.last_verified_at?.getTime();
};

describe('the first run', () => {
  it('fills an empty register with every member, as the registry has them', async () => {
    const { record } = await stack.run();
    expect(record).toMatchObject({
      mirror: 'register',
      outcome: 'published',
      memberCount: 60,
      changes: { added: 60, removed: 0, updated: 0, unchanged: 0, quarantined: 0 },
    });
    const rows = await stack.members();
    expect(rows).toHaveLength(60);
    for (const row of rows) {
      const wire = stack.registry.member(Number(row.external_id));
      expect(row).toMatchObject({
        kennitala: wire.ssn.replace('-', ''),
        name: wire.name,
        email: wire.contact_info.email === '' ? null : wire.contact_info.email,
        is_active: true,
        removed_at: null,
        sync_source: 'django',
        added_at: record.timestamp,
        last_verified_at: record.timestamp,
        metadata: { date_joined: wire.date_joined, version: wire.version },
      });
    }
  });

  it('writes one row of sync_log, with counts and the run', async () => {
    const { record } = await stack.run();
    expect(await stack.syncLog()).toMatchObject([
      {
        sync_type: 'membership',
        sync_timestamp: record.timestamp,
        status: 'success',
        members_added: 60,
        members_removed: 0,
        members_verified: 0,
        error_count: 0,
        details: { run: record.runId, planId: record.planId, active: 60 },
      },
    ]);
  });

  it('is manual when it was asked for over HTTP', async () => {
    await stack.run({ trigger: 'http' });
    expect((await stack.syncLog()).map(({ sync_type }) => sync_type)).toEqual(['manual']);
  });
});

describe('a run without a difference', () => {
  it('writes no member row, and still verifies every member', async () => {
    await stack.run();
    const before = await writers();
    const [someone] = before;
    const first = await verifiedAt(someone?.id ?? 0);
    stack.advance(3_600_000);
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'unchanged', changes: { unchanged: 60 } });
    expect(await writers()).toEqual(before);
    expect(await verifiedAt(someone?.id ?? 0)).toBe(record.timestamp.getTime());
    expect(first).toBeLessThan(record.timestamp.getTime());
    expect((await stack.syncLog())[1]).toMatchObject({ status: 'success', members_verified: 60 });
  });

  it('does not verify anybody when it fails', async () => {
    const { record } = await stack.run();
    stack.advance(3_600_000);
    stack.registry.addFault({ status: 403 });
    await stack.run();
    const [row] = await stack.members();
    expect(await verifiedAt(row?.id ?? 0)).toBe(record.timestamp.getTime());
  });
});

describe('a run with differences', () => {
  beforeEach(async () => {
    await stack.run();
  });

  it('adds, updates and deactivates those who changed and writes no other row', async () => {
    const before = await writers();
    const gone = stack.registry.randomMember();
    const goneRow = await rowOf(gone);
    stack.registry.deleteMember(gone);
    const changed = stack.registry.randomMember();
    const changedRow = await rowOf(changed);
    stack.registry.updateMember(changed, { name: 'Nýtt Nafn', contact_info: { phone: '+354 555-1234' } });
    const joined = stack.registry.createMember();
    stack.advance(3_600_000);
    const { record } = await stack.run();
    expect(record.changes).toEqual({ added: 1, removed: 1, updated: 1, unchanged: 58, quarantined: 0 });

    expect(await rowOf(changed)).toMatchObject({ id: changedRow.id, name: 'Nýtt Nafn', phone: '5551234' });
    expect(await rowOf(gone)).toMatchObject({
      id: goneRow.id,
      is_active: false,
      removed_at: record.timestamp,
      last_verified_at: goneRow.last_verified_at,
    });
    expect(await rowOf(joined.id)).toMatchObject({ is_active: true, added_at: record.timestamp });
    const written = new Set([changedRow.id, goneRow.id]);
    expect((await writers()).filter(({ id }) => !written.has(id)).slice(0, 58)).toEqual(
      before.filter(({ id }) => !written.has(id)),
    );
  });

  it('gives a member who comes back the same id again', async () => {
    const id = stack.registry.randomMember();
    const first = await rowOf(id);
    stack.registry.deleteMember(id);
    await stack.run();
    stack.registry.restoreMember(id);
    const { record, samples } = await stack.run();
    expect(record.changes).toMatchObject({ added: 1, removed: 0 });
    expect(samples?.reactivated).toEqual([referTo(first.kennitala as Kennitala)]);
    expect(await rowOf(id)).toMatchObject({
      id: first.id,
      is_active: true,
      removed_at: null,
      added_at: first.added_at,
    });
    expect((await stack.syncLog()).at(-1)?.details).toMatchObject({ reactivated: 1 });
  });

  it('lists the changed rows, by kind', async () => {
    stack.registry.updateMember(stack.registry.randomMember());
    stack.registry.createMember();
    const { record } = await stack.run();
    const kinds = await stack.postgres.sql(
      `select kind, count(*)::int from public.member_changes
        where log_id = (select id from public.sync_log where details->>'run' = $1) group by 1 order by 1`,
      [record.runId],
    );
    expect(kinds).toEqual([
      { kind: 'added', count: 1 },
      { kind: 'updated', count: 1 },
    ]);
  });

  it('undoes what somebody wrote into the table by hand', async () => {
    await stack.postgres.sql(`update public.members set name = 'Edited', email = null where id = 1`);
    await stack.postgres.sql(
      `insert into public.members (kennitala, name) values ('0101302989', 'Stranger')`,
    );
    expect((await stack.run()).record.changes).toMatchObject({ added: 0, removed: 1, updated: 1 });
    expect((await stack.members()).filter(({ name }) => name === 'Edited')).toEqual([]);
  });
});

describe('a dry run', () => {
  it('answers the plan and leaves no trace in the database', async () => {
    await stack.run();
    stack.registry.createMember();
    const { record, samples } = await stack.run({ trigger: 'http', dryRun: true });
    expect(record).toMatchObject({ outcome: 'dry-run', changes: { added: 1, unchanged: 60 } });
    expect(record.planId).toMatch(/^[0-9a-f]{64}$/);
    expect(samples?.added).toEqual([expect.stringMatching(/^m_[0-9a-f]{16}$/)]);
    expect(await stack.members()).toHaveLength(60);
    expect(await stack.syncLog()).toHaveLength(1);
  });

  it('has the same plan id again when nothing moved, and another when anything did', async () => {
    await stack.run();
    const id = stack.registry.randomMember();
    stack.registry.updateMember(id);
    const plan = async () => (await stack.run({ trigger: 'http', dryRun: true })).record.planId;
    const first = await plan();
    expect(await plan()).toBe(first);
    await stack.postgres.sql(
      `update public.members set email = 'by.hand@postur.example' where external_id = $1`,
      [String(id)],
    );
    const second = await plan();
    expect(second).not.toBe(first);
    stack.registry.updateMember(id);
    expect(await plan()).not.toBe(second);
  });
});

describe('the guard', () => {
  const removeMany = (count: number) => {
    for (let n = 0; n < count; n += 1) stack.registry.deleteMember(stack.registry.randomMember());
  };

  it('refuses too many removals, changes nothing, and says so in sync_log', async () => {
    await stack.run();
    removeMany(11);
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'blocked', errorCode: 'guard_tripped' });
    expect((await stack.members()).filter(({ is_active }) => is_active)).toHaveLength(60);
    expect((await stack.syncLog()).at(-1)).toMatchObject({
      status: 'failed',
      members_removed: 0,
      details: { outcome: 'blocked', code: 'guard_tripped', planId: record.planId },
    });
  });

  it('lets exactly the approved plan through', async () => {
    await stack.run();
    removeMany(11);
    const { record } = await stack.run({ trigger: 'http', dryRun: true });
    const approve = {
      planId: record.planId ?? '',
      operator: 'Operator',
      reason: 'They left after the congress.',
    };
    stack.registry.deleteMember(stack.registry.randomMember());
    const late = await stack.run({ trigger: 'http', approve });
    expect(late.record).toMatchObject({ outcome: 'skipped', errorCode: 'plan_changed' });
    expect((await stack.members()).filter(({ is_active }) => is_active)).toHaveLength(60);

    const again = await stack.run({ trigger: 'http', dryRun: true });
    const applied = await stack.run({
      trigger: 'http',
      approve: { ...approve, planId: again.record.planId ?? '' },
    });
    expect(applied.record).toMatchObject({
      outcome: 'published',
      approvedBy: 'Operator',
      changes: { removed: 12 },
    });
  });

  it('asks for two persons where that is wanted, and takes a key for nobody', async () => {
    const decide = (request: RunRequest) =>
      runRegisterMirror(request, stack.registerOptions, { ...stack.dependencies, needsSecondPerson: true });
    await stack.run();
    removeMany(11);
    const plan = async (requestedBy: string) =>
      (await decide({ trigger: 'http', dryRun: true, requestedBy })).record.planId ?? '';
    const planId = await plan('api-key 00000000');
    const approve = async (requestedBy: string) => {
      const approval = { planId, operator: 'Operator', reason: 'They left.' };
      const { record } = await decide({ trigger: 'http', requestedBy, approve: approval });
      return record.errorCode ?? record.outcome;
    };
    expect(await approve('anna')).toBe('second_person_needed');
    expect(await plan('anna')).toBe(planId);
    for (const one of ['anna', 'api-key 00000000']) expect(await approve(one)).toBe('second_person_needed');
    expect(await approve('bjorn')).toBe('published');
  });

  it('of two approvals of one plan at once, applies it once', async () => {
    await stack.run();
    removeMany(11);
    const { record } = await stack.run({ trigger: 'http', dryRun: true });
    const approve = { planId: record.planId ?? '', operator: 'Operator', reason: 'They left.' };
    const both = await Promise.all([
      stack.run({ trigger: 'http', approve }),
      stack.run({ trigger: 'http', approve }),
    ]);
    expect(both.map((report) => report.record.outcome).sort()).toEqual(['published', 'skipped']);
    const third = await stack.run({ trigger: 'http', approve });
    expect(third.record).toMatchObject({ outcome: 'skipped', errorCode: 'plan_changed' });
  });

  it('refuses a run that would empty a column of many members', async () => {
    await stack.run();
    for (let id = 1; id <= 30; id += 1) stack.registry.updateMember(id, { contact_info: { email: '' } });
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'blocked' });
    expect(record.guard?.findings).toMatchObject([{ rule: 'blanked_share', field: 'email' }]);
  });

  it('takes the last run for the baseline when somebody emptied the table', async () => {
    await stack.run();
    await stack.postgres.sql('delete from public.members');
    removeMany(11);
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'blocked' });
    expect(record.warnings.map(({ code }) => code)).toContain('register_emptied');
  });
});
