import { makeKennitalas } from './kennitalas.ts';

const numbers = makeKennitalas(200);
let used = 0;
let events = 0;

/** A member whom no other test of the file has used. */
export const someone = (): string => {
  used += 1;
  return numbers[used] ?? '';
};

/** An id that no other event of the file has. */
export const eventId = (): string => {
  events += 1;
  return `msg_${events}`;
};

/** The body of an event, as the registry spells it; null for a registry that has no versions. */
export const event = (kennitala: string, version: number | null, action = 'update', data: object = {}) => ({
  kennitala,
  action,
  ...(action === 'delete' ? {} : { data: { ssn: kennitala, name: 'Generated Person', ...data } }),
  ...(version === null ? {} : { version }),
  occurred_at: '2026-11-20T10:00:00Z',
});

/** Status and body of an answer in one object. */
export const resultOf = async (answer: Promise<{ status: number; body: object }>) => {
  const { status: code, body } = await answer;
  return { status: code, ...body } as Record<string, unknown>;
};
