import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type MemberPatch, patchMember } from '../../src/registry/wire-member.ts';
import { call, start } from './support.ts';

interface Vector {
  readonly name: string;
  readonly change: { readonly kennitala: string };
  readonly answer: { readonly ssn: string; readonly code?: string };
  readonly writes: Readonly<Record<string, unknown>>;
}
const { member, vectors } = JSON.parse(
  readFileSync(new URL('../../../contract/vectors/changes.json', import.meta.url), 'utf8'),
) as { member: MemberPatch & { ssn: string }; vectors: Vector[] };

const UNKNOWN = '0101300999';

// The stand-in keeps no list of houses, so it knows every address.
const playable = vectors.filter(({ answer }) => answer.code !== 'unknown_address');

describe('the stand-in answers changes as the companion app does', () => {
  test('all vectors but those about unknown houses are played', () => {
    expect(playable.length).toBeGreaterThan(25);
    expect(vectors.length - playable.length).toBe(1);
  });

  test.each(playable)('$name', async ({ change, answer, writes }) => {
    const registry = await start({ members: 1, hyphenated: 0 });
    const { ssn, ...fields } = member;
    registry.updateMember(1, fields);
    const before = registry.member(1);
    // The stand-in numbers its members itself: the vector's number becomes its own, every other one a stranger's.
    const numberOf = (kennitala: string): string => {
      if (kennitala.replace('-', '') !== ssn) return UNKNOWN;
      return kennitala.includes('-') ? `${before.ssn.slice(0, 6)}-${before.ssn.slice(6)}` : before.ssn;
    };
    const body = { changes: [{ ...change, kennitala: numberOf(change.kennitala) }] };
    const { json } = await call(registry, '/api/sync/apply/', { method: 'POST', body });
    expect(json.results).toHaveLength(1);
    expect(json.results[0]).toMatchObject({ ...answer, ssn: numberOf(answer.ssn) });

    const written = Object.keys(writes).length > 0;
    const after = patchMember(before, nest(writes));
    expect(registry.member(1)).toEqual({ ...after, version: written ? 2 : 1 });
  });
});

/** `{"contact_info.email": x}` as `{contact_info: {email: x}}`. */
const nest = (writes: Vector['writes']): MemberPatch => {
  const patch: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(writes)) {
    const [key = '', inner] = path.split('.');
    patch[key] = inner === undefined ? value : { ...(patch[key] as object | undefined), [inner]: value };
  }
  return patch as MemberPatch;
};
