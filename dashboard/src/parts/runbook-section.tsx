import { ERROR_CODES } from '../../../functions/src/lib/errors.ts';
import { useTexts } from '../i18n/language.tsx';

/** Where the remedy of an error stands. As text: the runbook lies beside the code, and is served nowhere. */
export const RunbookSection = ({ code }: { code: string }) => {
  const { t } = useTexts();
  return Object.hasOwn(ERROR_CODES, code) ? (
    <>
      {' · '}
      {t('whatToDo')} <code class="wrap">docs/runbook.md#{code}</code>
    </>
  ) : null;
};
