import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tablesIn } from '../../src/deploy/markdown-tables.ts';
import { ROOT } from '../../src/deploy/root.ts';
import { secretSettings } from '../../src/deploy/settings.ts';

const SECRETS = [...secretSettings().map(({ usual }) => usual), 'register-webhook-NAME'];

const sectionOf = async (): Promise<string> =>
  (await readFile(join(ROOT, 'docs/runbook.md'), 'utf8')).split('\n## Secrets\n')[1]?.split('\n## ')[0] ?? '';

describe('the runbook about secrets', () => {
  it('says what each is and who reads it', async () => {
    const [table] = tablesIn(await sectionOf());
    expect(table?.rows.map(([name]) => name).toSorted()).toEqual(SECRETS.toSorted());
  });

  it.each(SECRETS)('says how %s is replaced on both sides', async (name) => {
    const [, ...rotations] = (await sectionOf()).split('\n### ');
    expect(rotations.filter((text) => text.includes(`\`${name}\``) || text.includes(`${name} `))).not.toEqual(
      [],
    );
  });
});
