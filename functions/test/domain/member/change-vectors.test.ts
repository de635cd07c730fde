import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isTwoWayPath } from '../../../src/domain/member/field-table.ts';
import { fieldOf } from '../../../src/domain/member/fields.ts';
import {
  fromRegistryFields,
  parseRegistryMember,
  toRegistryValue,
} from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch } from '../../../src/domain/member/patch.ts';

interface Vectors {
  readonly member: unknown;
  readonly vectors: readonly {
    readonly name: string;
    readonly answer: { readonly status: string; readonly current?: Readonly<Record<string, unknown>> };
  }[];
}

const FILE = new URL('../../../../contract/vectors/changes.json', import.meta.url);
const { member: wire, vectors } = JSON.parse(readFileSync(FILE, 'utf8')) as Vectors;
const member = applyPatch(null, parseRegistryMember(wire));
const conflicts = vectors.flatMap(({ name, answer }) =>
  answer.current === undefined ? [] : [{ name, current: answer.current }],
);

describe('what the registry answers about its present values', () => {
  it('is there to be read', () => {
    expect(conflicts.length).toBeGreaterThan(1);
  });

  it.each(conflicts)('is spelled as the portal spells the same member: $name', ({ current }) => {
    const read = fromRegistryFields(current);
    for (const [path, value] of Object.entries(current)) {
      if (!isTwoWayPath(path)) expect.unreachable();
      expect(toRegistryValue(path, fieldOf(member, path))).toEqual(value);
      expect(read[path]).toEqual(fieldOf(member, path));
    }
  });
});
