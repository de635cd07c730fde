import { useTexts } from '../i18n/language.tsx';

/** A choice among codes, or all of them (''). */
export const Select = (props: {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}) => {
  const { t } = useTexts();
  return (
    <label>
      {props.label}
      <select value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
        <option value="">{t('all')}</option>
        {props.options.map(([code, text]) => (
          <option key={code} value={code}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
};
