import { type ReactNode, useState } from 'react';
import { useTexts } from '../texts/language.tsx';
import { ActionButton } from './forms.tsx';
import { type Loading, useAction, useLoad } from './load.ts';
import { Problem } from './problem.tsx';

export interface Column {
  readonly head: string;
  readonly isNumber?: boolean;
  /** What a phone shows without its name before it: the first line of a card. */
  readonly isTitle?: boolean;
}

export interface Row {
  readonly key: string;
  readonly cells: readonly ReactNode[];
  /** A plan, or a refusal: nothing was done. */
  readonly isQuiet?: boolean;
}

/** A table; on a phone each row is a card, with the name of the column before each value. */
export const Table = (props: {
  caption: string;
  /** Otherwise it is only heard: a heading says it already. */
  isCaptionShown?: boolean;
  columns: readonly Column[];
  rows: readonly Row[];
}) => (
  <table className="table">
    <caption className={props.isCaptionShown === true ? '' : 'visually-hidden'}>{props.caption}</caption>
    <thead>
      <tr>
        {props.columns.map(({ head, isNumber }) => (
          <th scope="col" key={head} className={isNumber === true ? 'number' : ''}>
            {head}
          </th>
        ))}
      </tr>
    </thead>
    <tbody>
      {props.rows.map(({ key, cells, isQuiet }) => (
        <tr key={key} className={isQuiet === true ? 'quiet' : ''}>
          {cells.map((cell, index) => {
            const { head, isNumber, isTitle } = props.columns[index] ?? { head: '' };
            const className = `${isNumber === true ? 'number' : ''} ${isTitle === true ? 'title' : ''}`;
            return (
              <td key={head} className={className} data-head={head}>
                {cell}
              </td>
            );
          })}
        </tr>
      ))}
    </tbody>
  </table>
);

/** What was read, or that it is being read, or why it could not be: never an empty page for an unknown answer. */
export const Loaded = <T,>(props: { of: Loading<T>; children: (value: T) => ReactNode }) => {
  const { t } = useTexts();
  const { value, failure } = props.of;
  if (failure !== null) return <Problem cause={failure} />;
  if (value === null) {
    return (
      <div className="skeleton" role="status">
        <span className="visually-hidden">{t('loading')}</span>
      </div>
    );
  }
  return <>{props.children(value)}</>;
};

interface Portion<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** A list that comes in pages, newest first: the first page, and a button for what is older. */
export const Older = <T,>(props: {
  read: (before: string | undefined) => Promise<Portion<T>>;
  empty: ReactNode;
  children: (items: readonly T[]) => ReactNode;
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
            {items.length === 0 ? props.empty : props.children(items)}
            {next !== null && (
              <ActionButton
                isWorking={action.isWorking}
                onPress={() =>
                  void action.run(async () => {
                    const older = await props.read(next);
                    setMore({ items: [...(more?.items ?? []), ...older.items], next: older.next });
                  })
                }
              >
                {t('more')}
              </ActionButton>
            )}
            {action.failure !== null && <Problem cause={action.failure} />}
          </>
        );
      }}
    </Loaded>
  );
};
