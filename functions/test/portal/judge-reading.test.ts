import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import type { StoredMember } from '../../src/domain/member/decide-change.ts';
import { type ParsedMember, parseRegistryMember } from '../../src/domain/member/parse-registry-member.ts';
import { applyPatch, makeTombstone, sourceHash } from '../../src/domain/member/patch.ts';
import { judgeReading, SETTLED_AFTER_MS } from '../../src/portal/follow-hint.ts';

describe('what one reading says', () => {
  const kennitala = '0101302989' as Kennitala;
  const contentOf = (id: number | null, email: string) =>
    parseRegistryMember({ id, ssn: kennitala, name: 'Generated Person', contact_info: { email } });
  const storedWith = (email: string, isActive = true): StoredMember => {
    const active = applyPatch(null, contentOf(1, email));
    const member = isActive ? active : makeTombstone(active, kennitala);
    const meta = { django_id: 1, source_version: null, source_hash: sourceHash(member), deleted_at: null };
    return { member, meta };
  };
  const judge = (given: {
    announced?: ('create' | 'update' | 'delete')[];
    content?: ParsedMember | null;
    payload?: ParsedMember | null;
    stored?: StoredMember | null;
    sameForMs?: number;
  }) => {
    const { announced = ['update'], content = contentOf(1, 'a@b.is'), payload = null } = given;
    const { stored = null, sameForMs = 0 } = given;
    return judgeReading({
      hint: { announced: new Set(announced) },
      read:
        content === null
          ? { kennitala, action: 'delete', version: null, occurredAt: null, content }
          : { kennitala, action: 'update', version: null, occurredAt: null, content },
      payload,
      stored,
      sameForMs,
    });
  };

  it.each([
    ['an update, and what was sent is there', { payload: contentOf(1, 'a@b.is') }, 'confirmed'],
    ['an update, and something else is there', { payload: contentOf(1, 'c@d.is') }, 'open'],
    [
      'an update, and something else stays there',
      { payload: contentOf(1, 'c@d.is'), sameForMs: SETTLED_AFTER_MS },
      'settled',
    ],
    [
      'an update, and something else is there for less than that',
      { payload: contentOf(1, 'c@d.is'), sameForMs: SETTLED_AFTER_MS - 1 },
      'open',
    ],
    ['an update of nobody', { content: null }, 'awaited'],
    ['a delete of somebody who is there', { announced: ['delete'], sameForMs: SETTLED_AFTER_MS }, 'awaited'],
    ['a delete, and nobody is there', { announced: ['delete'], content: null }, 'confirmed'],
    ['both, and somebody is there', { announced: ['create', 'delete'] }, 'open'],
    ['both, and nobody is there', { announced: ['create', 'delete'], content: null }, 'awaited'],
    [
      'both, and nobody stays there',
      { announced: ['update', 'delete'], content: null, sameForMs: SETTLED_AFTER_MS },
      'settled',
    ],
    ['an update without data, and the portal shows the same', { stored: storedWith('a@b.is') }, 'open'],
    ['an update without data, and the portal shows another', { stored: storedWith('c@d.is') }, 'confirmed'],
    ['an update without data of somebody gone', { stored: storedWith('a@b.is', false) }, 'confirmed'],
    ['an update without data of somebody new', {}, 'confirmed'],
    [
      'an update without data, and only what other tables say is another',
      { stored: storedWith('c@d.is'), content: contentOf(null, 'a@b.is') },
      'open',
    ],
    [
      'an update, and only what other tables say is another than what was sent',
      { payload: contentOf(1, 'c@d.is'), content: contentOf(null, 'a@b.is') },
      'confirmed',
    ],
  ] satisfies [string, Parameters<typeof judge>[0], string][])('of %s: %s', (_what, given, expected) => {
    expect(judge(given)).toBe(expected);
  });
});
