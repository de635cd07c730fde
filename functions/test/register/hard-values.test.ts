import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeKennitalas } from '../support/kennitalas.ts';
import { type RegisterStack, startRegisterStack } from '../support/stack.ts';
import { makePages } from './support/make-pages.ts';

let stack: RegisterStack;
beforeEach(async () => {
  stack = await startRegisterStack({ members: 1 });
});
afterEach(async () => {
  await stack.close();
});

const LONG = 'Þ'.repeat(255);
const [KENNITALA = '', OTHER = ''] = makeKennitalas(2);

const store = async (...members: object[]) => {
  const report = await stack.run(undefined, { pages: makePages(members) });
  return { report, rows: await stack.members() };
};

describe('a member with a name that is', () => {
  it.each([
    ['an SQL injection', `'); drop table public.members; --`],
    ['an injection into JSON', `"}], "kennitala": "0`],
    ['an injection into an array literal', '{NULL,"\\"}'],
    ['a parameter', '$1 $2 :name ? %s'],
    ['NULL as a word', 'NULL'],
    ['backslashes and quotes', `\\' " \\\\ \` \\u0041`],
    ['emoji', '👩‍👩‍👧‍👦 Jón 🇮🇸'],
    ['letters with combining marks', 'Jo\u0301n'],
    ['right to left', 'אברהם'],
    ['lines and tabs', 'Jón\r\n\tJónsson'],
    ['255 characters', LONG],
    ['255 characters outside the basic plane', '𐍈'.repeat(255)],
  ])('%s: it is stored as it is, and is no difference the next time', async (_what, name) => {
    const member = { id: 1, kennitala: KENNITALA, name };
    const { report, rows } = await store(member);
    expect(report.record.outcome).toBe('published');
    expect(rows).toMatchObject([{ name }]);
    expect((await store(member)).report.record.outcome).toBe('unchanged');
  });

  it.each([
    ['256 characters', `${LONG}x`, LONG, 'name_cut'],
    ['300 emoji', '🙂'.repeat(300), '🙂'.repeat(255), 'name_cut'],
  ])('%s: what fits is stored, and sync_log tells of it', async (_what, name, stored, reason) => {
    const member = { id: 1, kennitala: KENNITALA, name };
    const { report, rows } = await store(member);
    expect(rows).toMatchObject([{ name: stored }]);
    expect(report.record.warnings.map(({ code }) => code)).toContain('adjusted_values');
    expect((await stack.syncLog())[0]?.details['adjusted']).toMatchObject([{ reasons: [reason] }]);
    expect((await store(member)).report.record.outcome).toBe('unchanged');
  });
});

describe('a member with a value that no store may hold', () => {
  it.each([
    ['a null byte in the name', { name: 'Jón\0Jónsson' }, 'name'],
    ['the separators of the way there', { name: 'Jón\u001f\u001eJónsson' }, 'name'],
    ['half a character', { name: 'Jón \ud83d' }, 'name'],
    ['a name of 1.2 MB', { name: 'J'.repeat(1_200_000) }, 'name'],
    ['a joining before the year 1', { name: 'Jón', date_joined: '0001-01-01T00:00:00+02:00' }, 'date_joined'],
    ['a version past the last', { name: 'Jón', version: 9_007_199_254_740_991 }, 'version'],
  ])('%s: is left out and told by reference, and the others are stored', async (_what, values, reason) => {
    await store({ id: 1, kennitala: KENNITALA, name: 'Before' });
    const { report, rows } = await store(
      { id: 1, kennitala: KENNITALA, ...values },
      { id: 2, kennitala: OTHER, name: 'Jóna' },
    );
    expect(report.record).toMatchObject({ outcome: 'published', changes: { quarantined: 1, added: 1 } });
    expect(rows.map((row) => row['name']).sort()).toEqual(['Before', 'Jóna']);
    expect((await stack.syncLog()).at(-1)?.details['unreadable']).toEqual([
      { member: expect.stringMatching(/^m_[0-9a-f]{16}$/), position: 0, reason },
    ]);
  });
});

describe('a member whose contact details do not fit', () => {
  it('is stored without them: a cut number or address could be somebody else', async () => {
    const { rows } = await store({
      id: 1,
      kennitala: KENNITALA,
      name: 'Test',
      phone: 'call me after five, or before nine',
      email: `${'a'.repeat(250)}@postur.example`,
    });
    expect(rows).toMatchObject([{ phone: null, email: null }]);
  });
});

describe('what the registry says of a field', () => {
  const full = {
    id: 7,
    kennitala: KENNITALA,
    name: 'Jón',
    email: 'jon@postur.example',
    phone: '555-1234',
    date_joined: '2020-01-15',
    version: 3,
  };
  it('nothing: the value stays; null or empty: it is cleared', async () => {
    await store(full);
    const { report, rows } = await store({ kennitala: KENNITALA });
    expect(report.record.outcome).toBe('unchanged');
    expect(rows).toMatchObject([
      {
        name: 'Jón',
        email: 'jon@postur.example',
        phone: '5551234',
        external_id: '7',
        metadata: { date_joined: '2020-01-15T00:00:00.000Z', version: 3 },
      },
    ]);
    const cleared = await store({ ...full, email: null, phone: '', date_joined: null });
    expect(cleared.rows).toMatchObject([
      { name: 'Jón', email: null, phone: null, metadata: { date_joined: null, version: 3 } },
    ]);
  });

  it('accepts both spellings, hyphens included, as one member', async () => {
    await store(full);
    const { report } = await store({
      id: 7,
      ssn: `${KENNITALA.slice(0, 6)}-${KENNITALA.slice(6)}`,
      name: 'Jón',
      contact_info: { email: 'jon@postur.example', phone: '5551234' },
    });
    expect(report.record.outcome).toBe('unchanged');
  });
});

describe('entries that are no member or come twice', () => {
  it('a placeholder is left out, and of a repeated member the newest row counts', async () => {
    const { report, rows } = await store(
      { id: 1, kennitala: KENNITALA, name: 'Old', version: 1 },
      { id: 2, kennitala: '9999123459', name: 'Placeholder' },
      { id: 3, kennitala: OTHER, name: 'Other' },
      { id: 1, kennitala: KENNITALA, name: 'New', version: 2 },
    );
    expect(rows.map(({ name }) => name).sort()).toEqual(['New', 'Other']);
    expect(report.record.findings).toMatchObject({ received: 4, placeholders: 1, repeated: 1 });
    const again = await store(
      { id: 1, kennitala: KENNITALA, name: 'New', version: 2 },
      { id: 3, kennitala: OTHER, name: 'Other' },
      { id: 1, kennitala: KENNITALA, name: 'Old', version: 1 },
    );
    expect(again.report.record.outcome).toBe('unchanged');
  });
});
