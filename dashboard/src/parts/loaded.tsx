import type { ComponentChildren } from 'preact';
import { useTexts } from '../i18n/language.tsx';
import { Problem } from './problem.tsx';
import type { Loading } from './use-load.ts';

/** What was read, or that it is being read, or why it could not be: never an empty page for an unknown answer. */
export const Loaded = <T,>(props: { of: Loading<T>; children: (value: T) => ComponentChildren }) => {
  const { t } = useTexts();
  const { value, failure, isLoading } = props.of;
  if (failure !== null) return <Problem cause={failure} />;
  if (value === null) return <p role="status">{isLoading ? t('loading') : t('unknown')}</p>;
  return <>{props.children(value)}</>;
};
