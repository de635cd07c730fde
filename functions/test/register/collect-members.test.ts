import { describe, expect, it } from 'vitest';
import { parseRegistryMember } from '../../src/domain/member/parse-registry-member.ts';
import { collectMembers, toStagedMember } from '../../src/register/collect-members.ts';
import { SAID } from '../../src/register/ports.ts';
import { makeKennitalas } from '../support/kennitalas.ts';

const [ONE = '', TWO = ''] = makeKennitalas(2, 76_000) as string[];
const row = (ssn: string, more: object = {}) => ({ ssn, name: 'Generated Person', ...more });
const staged = (more: object) => toStagedMember(parseRegistryMember(row(ONE, more)));
const collected = (...members: unknown[]) =>
  collectMembers(
    (async function* () {
      yield { members, count: members.length };
    })(),
  );

describe('the columns of a member', () => {
  it('hold what the registry says', () => {
    const digest = `0000000100000002${'ab'.repeat(24)}`;
    const contact_info = { email: 'a@b.is', phone: '5551234' };
    expect(staged({ id: 7, version: 3, digest, date_joined: '2020-01-15T10:30:00Z', contact_info })).toEqual({
      adjustments: [],
      member: {
        kennitala: ONE,
        name: 'Generated Person',
        email: 'a@b.is',
        phone: '5551234',
        external_id: '7',
        date_joined: '2020-01-15T10:30:00.000Z',
        version: 3,
        digest_a: 1,
        digest_b: 2,
        said: Object.values(SAID).reduce((sum, bit) => sum | bit, 0),
      },
    });
  });

  it('are empty for what it does not say, and marked as not said', () => {
    expect(staged({}).member).toEqual({
      kennitala: ONE,
      name: 'Generated Person',
      email: null,
      phone: null,
      external_id: null,
      date_joined: null,
      version: null,
      digest_a: null,
      digest_b: null,
      said: SAID.name,
    });
    expect(staged({ contact_info: { email: '', phone: '' } }).member).toMatchObject({
      email: null,
      phone: null,
      said: SAID.name | SAID.email | SAID.phone,
    });
  });

  it('are empty for a name that is not said, and marked', () => {
    const parsed = parseRegistryMember(row(ONE));
    const { 'profile.name': _name, ...content } = parsed.content;
    expect(toStagedMember({ ...parsed, content }).member).toMatchObject({ name: '', said: 0 });
  });

  it.each([
    ['a name of 255', { name: 'ð'.repeat(255) }, { name: 'ð'.repeat(255) }, []],
    ['a longer one is cut', { name: 'x'.repeat(256) }, { name: 'x'.repeat(255) }, ['name_cut']],
    ['one of 255 signs that take more room', { name: '🙂'.repeat(255) }, { name: '🙂'.repeat(255) }, []],
    [
      'an e-mail address that is too long is left out',
      { contact_info: { email: `${'a'.repeat(251)}@b.is`, phone: '' } },
      { email: null },
      ['email_too_long'],
    ],
    [
      'a phone number of 20',
      { contact_info: { email: '', phone: '1'.repeat(20) } },
      { phone: '1'.repeat(20) },
      [],
    ],
    [
      'one of 20 signs that take more room',
      { contact_info: { email: '', phone: '🙂'.repeat(20) } },
      { phone: '🙂'.repeat(20) },
      [],
    ],
    [
      'values without the spaces around them',
      { contact_info: { email: ' a@b.is ', phone: ` ${'1'.repeat(20)} ` } },
      { email: 'a@b.is', phone: '1'.repeat(20) },
      [],
    ],
    [
      'values of spaces alone as none',
      { contact_info: { email: '  ', phone: ' ' } },
      { email: null, phone: null },
      [],
    ],
    [
      'a longer one is left out',
      { contact_info: { email: '', phone: '1'.repeat(21) } },
      { phone: null },
      ['phone_too_long'],
    ],
  ])('take %s', (_what, more, columns, adjustments) => {
    expect(staged(more)).toMatchObject({ member: columns, adjustments });
  });
});

describe('members of one number', () => {
  const named = async (...members: object[]) => {
    const { members: all, repeated, received } = await collected(...members);
    expect([all.length, repeated, received]).toEqual([1, members.length - 1, members.length]);
    return all[0]?.name;
  };
  const of = (name: string, more: object) => row(ONE, { name, ...more });

  it.each<[string, object, object, string]>([
    ['the higher version', { version: 3, id: 1 }, { version: 2, id: 9 }, 'First'],
    ['the higher version', { version: 2, id: 9 }, { version: 3, id: 1 }, 'Second'],
    ['a version before none', { version: 0 }, { id: 9 }, 'First'],
    ['the lower row number', { version: 3, id: 10 }, { version: 3, id: 9 }, 'Second'],
    ['the lower row number', { version: 3, id: 9 }, { version: 3, id: 10 }, 'First'],
    ['the lower row number', { id: 9 }, { id: 10 }, 'First'],
    ['a row number before none', {}, { id: 1 }, 'Second'],
    ['the first of two that are as new', { id: 1 }, { id: 1 }, 'First'],
    ['the first of two that are as new', {}, {}, 'First'],
  ])('are the one with %s: %j and %j', async (_what, first, second, expected) => {
    expect(await named(of('First', first), of('Second', second))).toBe(expected);
  });
});

describe('everybody on the pages', () => {
  it('is in the order of the numbers, with who was adjusted', async () => {
    const long = { name: 'x'.repeat(256) };
    const { members, adjusted, placeholders } = await collected(row(TWO, long), row('9999999999'), row(ONE));
    expect(members.map(({ kennitala }) => kennitala)).toEqual([ONE, TWO].sort());
    expect([adjusted, placeholders]).toEqual([[{ kennitala: TWO, adjustments: ['name_cut'] }], 1]);
  });

  it('is counted once where the number is a legal entity’s, or of a day that no month has', async () => {
    const [entity, impossible] = [`4${ONE.slice(1)}`, `3102${ONE.slice(4)}`];
    const { legalEntities, impossibleDates, repeated } = await collected(
      ...[entity, entity, entity, impossible, impossible, impossible, ONE].map((ssn) => row(ssn)),
    );
    expect([legalEntities, impossibleDates, repeated]).toEqual([1, 1, 4]);
  });
});
