import { describe, expect, it } from 'vitest';
import { assertServed, isTriggeredBy, matchesDocumentPattern } from '../../src/functions/triggers.ts';

describe('a document pattern', () => {
  it.each([
    ['members/{id}', 'members/a', true],
    ['/members/{id}/', 'members/a', true],
    ['members/{id}', 'members/a/notes/b', false],
    ['members/{id}', 'members', false],
    ['members/{id}', 'others/a', false],
    ['members/{id}/notes/{note}', 'members/a/notes/b', true],
    ['members/a.b', 'members/axb', false],
    ['members/*', 'members/a', true],
  ])('%s against %s: %s', (pattern, path, matches) => {
    assertServed(pattern);
    expect(matchesDocumentPattern(pattern, path)).toBe(matches);
  });

  it.each(['members/x-*', 'members/{id=x-*}', 'members/**', '{path=**}'])('%s is refused', (pattern) => {
    expect(() => assertServed(pattern)).toThrow(pattern);
  });
});

describe('a trigger', () => {
  const change = {
    id: 'one',
    database: 'projects/demo/databases/(default)',
    path: 'members/a',
    before: {},
    after: {},
    time: new Date(),
  };
  const trigger = {
    eventType: 'google.cloud.firestore.document.v1.updated',
    filters: { database: '(default)' },
    pathPatterns: { document: 'members/{id}' },
    retry: false,
  };

  it.each([
    ['of the same kind', {}, true],
    ['for every write', { eventType: 'google.cloud.firestore.document.v1.written' }, true],
    ['of another kind', { eventType: 'google.cloud.firestore.document.v1.deleted' }, false],
    ['of another service', { eventType: 'google.cloud.storage.object.v1.finalized' }, false],
    ['of another database', { filters: { database: 'archive' } }, false],
    [
      'of one document',
      { pathPatterns: {}, filters: { database: '(default)', document: 'members/a' } },
      true,
    ],
    [
      'of one other document',
      { pathPatterns: {}, filters: { database: '(default)', document: 'members/b' } },
      false,
    ],
  ])('%s', (_title, changes, triggered) => {
    expect(isTriggeredBy({ ...trigger, ...changes }, change)).toBe(triggered);
  });
});
