import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useTexts } from '../i18n/language.tsx';
import { Loaded } from './loaded.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './use-action.ts';
import { useLoad } from './use-load.ts';

interface Portion<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** A list that comes in pages, newest first: the first page, and a button for what is older. */
export const Older = <T,>(props: {
  read: (before: string | undefined) => Promise<Portion<T>>;
  children: (items: readonly T[]) => ComponentChildren;
}) => {
  const { t } = useTexts();
  const first = useLoad(() => props.read(undefined));
  const [more, setMore] = useState<Portion<T> | null>(null);
  const action = useAction();
  return (
    <Loaded of={first}>
      {(page) => {
        const next = more === null ? page.next : more.next;
        const items = [...page.items, ...(more?.items ?? [])];
        return (
          <>
            {items.length === 0 ? <p>{t('none')}</p> : props.children(items)}
            {next !== null && (
              <button
                type="button"
                disabled={action.isWorking}
                onClick={() =>
                  action.run(async () => {
                    const older = await props.read(next);
                    setMore({ items: [...(more?.items ?? []), ...older.items], next: older.next });
                  })
                }
              >
                {t('more')}
              </button>
            )}
            {action.failure !== null && <Problem cause={action.failure} />}
          </>
        );
      }}
    </Loaded>
  );
};
