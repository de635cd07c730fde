import type { MirrorName } from '../../../functions/src/mirror/mirror.ts';
import type { StatusAnswer } from '../../../functions/src/ops/schemas.ts';
import { type Texts, useTexts } from '../texts/language.tsx';

const STORES: readonly MirrorName[] = ['roster', 'portal', 'register'];

/** One sentence: registry = roster = portal = register, and since when that is known; or which differs, and by how many. */
export const Proof = ({ status: { proof, at } }: { status: StatusAnswer }) => {
  const texts = useTexts();
  return proof === null ? null : <p className="small footnote">{sentenceOf(proof, at, texts)}</p>;
};

const sentenceOf = (
  { outcome, because, stores, members, unreadable, provedAt }: NonNullable<StatusAnswer['proof']>,
  at: string,
  { t, tCode, format }: Texts,
): string => {
  const ago = provedAt === null ? null : format.ago((Date.parse(at) - Date.parse(provedAt)) / 1_000);
  const held = STORES.filter((store) => stores[store].state !== 'absent');
  const unread = unreadable === 0 ? '' : ` ${t('butUnreadable', { count: format.number(unreadable) })}`;
  if (outcome === 'equal' && ago !== null) {
    const names = [t('registry'), ...held.map((store) => t(store))].join(' = ');
    return t('provedEqual', { stores: names, members: format.number(members), ago }) + unread;
  }
  const parts = held.flatMap((store) => {
    const { state, differences, errorCode } = stores[store];
    if (state === 'unknown') return errorCode === null ? [] : [`${t(store)}: ${errorCode}.`];
    if (state !== 'differs') return [];
    return differences === null
      ? [t('differsUncounted', { store: t(store) })]
      : [t('differsBy', { store: t(store), count: format.number(differences) })];
  });
  return t('notProvedNow', {
    outcome: tCode('proof', outcome),
    because: because === null ? '' : `${tCode('proofReason', because)}.`,
    stores: [...parts, ago === null ? t('neverProved') : t('lastProved', { ago })].join(' '),
  });
};
