import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../functions/src/lib/errors.ts';
import { REMEDIES } from '../src/texts/remedies.ts';

const CODES = Object.keys(ERROR_CODES) as (keyof typeof ERROR_CODES)[];
/** An end of a sentence in an address or a number is none. */
const sentencesOf = (text: string): number =>
  text.split(/[.?!](?=\s|$)/).filter((part) => part.trim() !== '').length;
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

describe('the remedy of every code', () => {
  it.each(CODES)('%s: in both languages, and word for word in the runbook', async (code) => {
    const { en, is } = REMEDIES[code];
    expect(en.length).toBeGreaterThan(20);
    expect(is.length).toBeGreaterThan(20);
    expect(is).not.toBe(en);
    for (const text of [en, is]) {
      expect(sentencesOf(text), text).toBeGreaterThanOrEqual(2);
      expect(sentencesOf(text), text).toBeLessThanOrEqual(4);
    }
    // What a command or a setting is called is the same in every language.
    const named = (text: string) => [...text.matchAll(/`([A-Z_]{8,})`/g)].map(([, name]) => name).toSorted();
    expect(named(is)).toEqual(named(en));
    const runbook = await readFile(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
    const section = new RegExp(`^### ${code}\\n([\\s\\S]*?)(?=^#{2,3} |(?![\\s\\S]))`, 'm').exec(
      runbook,
    )?.[1];
    expect(oneLine(section ?? '')).toBe(en);
  });

  it('belongs to a code that exists', () => {
    expect(Object.keys(REMEDIES).toSorted()).toEqual(CODES.toSorted());
  });
});
