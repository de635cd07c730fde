import { Collapsible } from '@base-ui/react/collapsible';
import type { ReactNode } from 'react';
import { ApiProblem } from '../api.ts';
import { useTexts } from '../texts/language.tsx';
import { REMEDIES } from '../texts/remedies.ts';
import { ToneIcon } from './ui.tsx';

/** What went wrong, in the reader's language alone: by its code, with what to do and the reference that the log knows. */
export const Problem = ({ cause }: { cause: unknown }) => {
  const { t, tCode } = useTexts();
  const problem = cause instanceof ApiProblem ? cause : null;
  return (
    <div role="alert" className="notice bad">
      <ToneIcon tone="bad" />
      <div>
        <strong>
          {t('failed')}
          {problem !== null && `: ${tCode('error', problem.code)}`}
        </strong>
        {problem !== null && (
          <>
            <Remedy code={problem.code} />
            <p className="small">
              {t('code')} <code>{problem.code}</code>
              {problem.requestId !== null && (
                <>
                  {' · '}
                  {t('reference')} <code>{problem.requestId}</code>
                </>
              )}
            </p>
          </>
        )}
      </div>
    </div>
  );
};

/** What to do about a code; nothing for one that is none of this project's. */
export const Remedy = ({ code, isOpen = false }: { code: string; isOpen?: boolean }) => {
  const { t, language } = useTexts();
  if (!Object.hasOwn(REMEDIES, code)) return null;
  const text = REMEDIES[code as keyof typeof REMEDIES][language];
  if (isOpen) return <p className="remedy">{marked(text)}</p>;
  return (
    <Collapsible.Root>
      <Collapsible.Trigger className="text-button">{t('whatToDo')}</Collapsible.Trigger>
      <Collapsible.Panel>
        <p className="remedy">{marked(text)}</p>
      </Collapsible.Panel>
    </Collapsible.Root>
  );
};

/** The little Markdown of a remedy. Links lead into the runbook, which lies beside the code: their text is enough. */
const marked = (text: string): ReactNode[] =>
  text
    .replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .split(/(`[^`]+`|\*\*[^*]+\*\*|<https:[^>]+>)/)
    .map((part, index) => {
      const key = `${index}`;
      if (part.startsWith('`')) return <code key={key}>{part.slice(1, -1)}</code>;
      if (part.startsWith('**')) return <strong key={key}>{part.slice(2, -2)}</strong>;
      if (!part.startsWith('<')) return part;
      const address = part.slice(1, -1);
      return (
        <a key={key} href={address} target="_blank" rel="noopener noreferrer">
          {address}
        </a>
      );
    });
