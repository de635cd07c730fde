import type { CodeKind } from '../i18n/codes/kinds.ts';
import { useTexts } from '../i18n/language.tsx';

const GOOD = new Set(['published', 'unchanged', 'synced', 'resolved']);
const BAD = new Set(['blocked', 'failed', 'partial', 'conflict', 'open']);

/** A state in words; its colour only repeats them. */
export const Badge = ({ kind, code }: { kind: CodeKind; code: string }) => {
  const { tCode } = useTexts();
  const tone = GOOD.has(code) ? 'good' : BAD.has(code) ? 'bad' : '';
  return <span class={`badge ${tone}`}>{tCode(kind, code)}</span>;
};
