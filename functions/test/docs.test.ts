import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../src/lib/errors.ts';
import { MIRRORS, WARNING_CODES } from '../src/mirror/mirror.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('the runbook', () => {
  it('has a section for every error code, and for no other', () => {
    const sections = [
      ...(read('docs/runbook.md')
        .split('## Error codes')[1]
        ?.matchAll(/^### (\w+)$/gm) ?? []),
    ];
    expect(sections.map(([, code]) => code).toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
  });

  it('has a row for every warning of a run, and for no other', () => {
    const section = read('docs/runbook.md').split('## Warnings of a run')[1]?.split('\n## ')[0] ?? '';
    const rows = [...section.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell]) =>
      [...(cell ?? '').matchAll(/`(\w+)`/g)].map(([, code]) => code),
    );
    expect(rows.toSorted()).toEqual([...WARNING_CODES].toSorted());
  });
});

it('docs/operators.md names every mirror, and no other', () => {
  const [, named = ''] = /^`MIRROR` is (.+)\.$/m.exec(read('docs/operators.md')) ?? [];
  expect([...named.matchAll(/`(\w+)`/g)].map(([, mirror]) => mirror)).toEqual([...MIRRORS]);
});

describe('links between documents', () => {
  it.each([
    'README.md',
    'docs/architecture.md',
    'docs/runbook.md',
    'docs/data-protection.md',
    'docs/decisions/README.md',
  ])('%s links only to files that are there', (path) => {
    const targets = [...read(path).matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)/g)].map(
      ([, target]) => target ?? '',
    );
    for (const target of targets) {
      const url = new URL(target, new URL(`../../${path}`, import.meta.url));
      expect(existsSync(url), `${path} links to ${target}`).toBe(true);
    }
  });
});
