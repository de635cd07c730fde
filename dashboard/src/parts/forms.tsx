import { Button } from '@base-ui/react/button';
import { Dialog } from '@base-ui/react/dialog';
import { Field } from '@base-ui/react/field';
import { Select } from '@base-ui/react/select';
import { Check, ChevronDown, Download } from 'lucide-react';
import { type FormEvent, type ReactNode, useState } from 'react';
import { holdsKennitala } from '../../../functions/src/domain/kennitala.ts';
import { useTexts } from '../texts/language.tsx';
import { useAction } from './load.ts';
import { Problem } from './problem.tsx';

type Input = Parameters<typeof Field.Control>[0];

/** One line to fill in, with its label above and what is wrong with it, or how to fill it, below. */
export const TextField = (props: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: string | undefined;
  error?: string | null;
  input?: Omit<Input, 'value' | 'onChange' | 'className'>;
}) => (
  <Field.Root className="field" invalid={props.error != null}>
    <Field.Label>{props.label}</Field.Label>
    <Field.Control
      {...props.input}
      className="input"
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
    {props.hint !== undefined && <Field.Description className="hint">{props.hint}</Field.Description>}
    {props.error != null && (
      <Field.Error className="field-error" match>
        {props.error}
      </Field.Error>
    )}
  </Field.Root>
);

/** Whether the API takes it as a reason or a name: not without words, and not with anybody's number. */
export const isSendable = (text: string): boolean => text.trim() !== '' && !holdsKennitala(text);

/** What an operator writes and the record keeps; what it must not hold is said while it is written. */
export const WordsField = (props: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: string;
  maxLength: number;
  autoComplete?: string;
}) => {
  const { t } = useTexts();
  const { maxLength, autoComplete = 'off', ...field } = props;
  return (
    <TextField
      {...field}
      error={holdsKennitala(props.value) ? t('noNumber') : null}
      input={{ required: true, maxLength, autoComplete }}
    />
  );
};

/** A choice with "all" as the first one. */
export const SelectField = (props: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  options: readonly (readonly [code: string, text: string])[];
  hasAll?: boolean;
}) => {
  const { t } = useTexts();
  const items = [...(props.hasAll === false ? [] : [['', t('all')] as const]), ...props.options].map(
    ([value, label]) => ({ value, label }),
  );
  return (
    <Field.Root className="field">
      <Field.Label nativeLabel={false} render={<div />}>
        {props.label}
      </Field.Label>
      <Select.Root
        items={items}
        value={props.value}
        onValueChange={(value) => props.onChange(String(value ?? ''))}
        modal={false}
      >
        <Select.Trigger className="input select">
          <Select.Value />
          <Select.Icon>
            <ChevronDown size={16} aria-hidden="true" />
          </Select.Icon>
        </Select.Trigger>
        <Select.Portal>
          <Select.Positioner className="popup-place" sideOffset={4} alignItemWithTrigger={false}>
            <Select.Popup className="popup">
              {items.map(({ value, label }) => (
                <Select.Item key={value} value={value} className="option">
                  <Select.ItemIndicator className="option-mark">
                    <Check size={14} aria-hidden="true" />
                  </Select.ItemIndicator>
                  <Select.ItemText>{label}</Select.ItemText>
                </Select.Item>
              ))}
            </Select.Popup>
          </Select.Positioner>
        </Select.Portal>
      </Select.Root>
    </Field.Root>
  );
};

export const ActionButton = (props: {
  onPress?: () => void;
  kind?: 'primary' | 'danger' | 'plain';
  isWorking?: boolean;
  disabled?: boolean;
  type?: 'submit' | 'button';
  children: ReactNode;
}) => {
  const { t } = useTexts();
  return (
    <Button
      type={props.type ?? 'button'}
      className={`button ${props.kind ?? 'plain'}`}
      disabled={props.disabled === true || props.isWorking === true}
      onClick={props.onPress}
    >
      {props.isWorking === true ? t('working') : props.children}
    </Button>
  );
};

/** Gives a text to whoever sits there, as a file of their own machine. */
export const saveFile = (name: string, text: string, type: string): void => {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  URL.revokeObjectURL(url);
};

export const SaveButton = (props: { name: string; text: string; type: string; children: ReactNode }) => (
  <ActionButton onPress={() => saveFile(props.name, props.text, props.type)}>
    <Download size={14} aria-hidden="true" /> {props.children}
  </ActionButton>
);

/** A button that asks for a reason in a dialog, and only then does the thing. */
export const ReasonDialog = (props: {
  label: string;
  title?: string;
  text?: string;
  kind?: 'primary' | 'danger' | 'plain';
  act: (reason: string) => Promise<void>;
}) => {
  const { t } = useTexts();
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const action = useAction();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!(await action.run(() => props.act(reason)))) return;
    setOpen(false);
    setReason('');
  };
  return (
    <Dialog.Root open={isOpen} onOpenChange={setOpen}>
      <Dialog.Trigger className={`button ${props.kind ?? 'plain'}`}>{props.label}</Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="dialog">
          <Dialog.Title>{props.title ?? props.label}</Dialog.Title>
          {props.text !== undefined && <Dialog.Description>{props.text}</Dialog.Description>}
          <form onSubmit={submit}>
            <WordsField
              label={t('reason')}
              value={reason}
              onChange={setReason}
              hint={t('reasonHint')}
              maxLength={500}
            />
            {action.failure !== null && <Problem cause={action.failure} />}
            <div className="actions">
              <Dialog.Close className="button plain">{t('cancel')}</Dialog.Close>
              <ActionButton
                type="submit"
                kind={props.kind ?? 'primary'}
                isWorking={action.isWorking}
                disabled={!isSendable(reason)}
              >
                {props.label}
              </ActionButton>
            </div>
          </form>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
};
