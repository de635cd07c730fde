import type { RollAnswer } from '../../../functions/src/ops/schemas.ts';

import type { Language } from './format.ts';

const TEXTS = {
  en: {
    title: 'Receipt of a roll',
    at: 'In force at',
    count: 'Members',
    sha256: 'SHA-256 of the file',
    published: 'Published',
    replaced: 'Replaced',
    still: 'not yet',
    run: 'Run',
    approvedBy: 'Approved by',
    rollbackOf: 'Version brought back',
    equalAt: 'Last known to equal the registry',
    age: 'hours before that moment',
    notDone: 'Runs between that changed nothing',
    unknown: 'not known',
    chain: 'Head of the chain of records',
    frozen: 'Frozen as',
    until: 'Kept until',
    by: 'By',
    why: 'Why',
    key: 'Signed by the key',
    signature: 'Signature',
    check:
      'To check it: npm run verify-roll FILE RECEIPT KEY, with the public key that was published before.',
  },
  is: {
    title: 'Kvittun fyrir félagatal',
    at: 'Í gildi',
    count: 'Félagar',
    sha256: 'SHA-256 skrárinnar',
    published: 'Gefið út',
    replaced: 'Leyst af hólmi',
    still: 'ekki enn',
    run: 'Keyrsla',
    approvedBy: 'Samþykkt af',
    rollbackOf: 'Útgáfa sem var sótt aftur',
    equalAt: 'Síðast vitað að var eins og félagaskráin',
    age: 'klukkustundum fyrir þá stund',
    notDone: 'Keyrslur á milli sem engu breyttu',
    unknown: 'ekki vitað',
    chain: 'Síðasti hlekkur í keðju færslna',
    frozen: 'Fryst sem',
    until: 'Geymt til',
    by: 'Af',
    why: 'Ástæða',
    key: 'Undirritað með lykli',
    signature: 'Undirritun',
    check:
      'Til að sannreyna: npm run verify-roll SKRÁ KVITTUN LYKILL, með opinbera lyklinum sem var birtur áður.',
  },
} as const satisfies Record<Language, Record<string, string>>;

/** What a receipt says, a row each, in one language. */
export const receiptRows = ({ receipt, frozen }: RollAnswer, language: Language): [string, string][] => {
  const t = TEXTS[language];
  const { list, run, registry, chain } = receipt;
  const age = registry.ageSeconds === null ? '' : ` (${(registry.ageSeconds / 3_600).toFixed(1)} ${t.age})`;
  return [
    [t.at, receipt.at],
    [t.count, String(receipt.count)],
    [t.sha256, receipt.sha256],
    [t.published, `${list.publishedAt} (${list.generation})`],
    [t.replaced, list.replacedAt ?? t.still],
    [t.run, run?.runId ?? t.unknown],
    ...(run?.approvedBy == null ? [] : [[t.approvedBy, run.approvedBy] as [string, string]]),
    ...(run?.rollbackOf == null ? [] : [[t.rollbackOf, run.rollbackOf] as [string, string]]),
    [t.equalAt, registry.equalAt === null ? t.unknown : `${registry.equalAt}${age}`],
    [t.notDone, String(registry.notDone)],
    [t.chain, chain === null ? t.unknown : `${chain.stream} ${chain.number} ${chain.hash}`],
    ...(frozen === null
      ? []
      : ([
          [t.frozen, frozen.name],
          [t.until, frozen.until],
          [t.by, frozen.by],
          [t.why, frozen.reason],
        ] as [string, string][])),
    [t.key, receipt.key],
    [t.signature, receipt.signature],
  ];
};

/** One page to print and sign. It has no script and loads nothing. */
export const receiptPage = (answer: RollAnswer, language: Language): string => {
  const t = TEXTS[language];
  const rows = receiptRows(answer, language).map(
    ([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<title>${t.title}</title>
<style>
  body { font: 11pt/1.5 system-ui, sans-serif; margin: 2cm; color: #000; background: #fff }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; vertical-align: top; padding: 0.3em 1em 0.3em 0; border-bottom: 1px solid #999; overflow-wrap: anywhere }
  th { width: 16em; font-weight: 600 }
</style>
<h1>${t.title}</h1>
<table>
${rows.join('\n')}
</table>
<p>${t.check}</p>
</html>
`;
};

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? '');
