import { useState } from 'preact/hooks';
import type { RunChanges } from '../../../functions/src/ops/schemas.ts';
import { useTexts } from '../i18n/language.tsx';
import { useOperator } from '../operator.ts';
import { Problem } from './problem.tsx';
import { useAction } from './use-action.ts';

/** Who was added and removed: asked for by a button, since each look is recorded. */
export const RunChangesView = ({ runId }: { runId: string }) => {
  const { t } = useTexts();
  const { api } = useOperator();
  const [pages, setPages] = useState<readonly RunChanges[]>([]);
  const action = useAction();
  const last = pages.at(-1);
  const nextPage = last === undefined ? 0 : last.nextPage;
  const load = (page: number) => action.run(async () => setPages([...pages, await api.changes(runId, page)]));
  const list = (title: string, of: 'added' | 'removed') => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard.
    <section class="kennitalas" aria-label={title} tabIndex={0}>
      <h2>{title}</h2>
      <ul>
        {pages
          .flatMap((page) => page[of])
          .map((kennitala) => (
            <li key={kennitala}>{kennitala}</li>
          ))}
      </ul>
    </section>
  );
  return (
    <div class="card">
      {pages.length > 0 && (
        <div class="cards">
          {list(t('added'), 'added')}
          {list(t('removed'), 'removed')}
        </div>
      )}
      {nextPage !== null && (
        <button type="button" disabled={action.isWorking} onClick={() => load(nextPage)}>
          {pages.length === 0 ? t('showChanges') : t('more')}
        </button>
      )}
      <p class="small">{t('lookRecorded')}</p>
      {action.failure !== null && <Problem cause={action.failure} />}
    </div>
  );
};
