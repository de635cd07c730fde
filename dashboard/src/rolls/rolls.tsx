import { type FormEvent, useState } from 'react';
import type {
  CompareAnswer,
  FrozenRollAnswer,
  RollAnswer,
  RollBody,
} from '../../../functions/src/ops/schemas.ts';
import { useOperator } from '../operator.ts';
import { ActionButton, isSendable, SaveButton, saveFile, TextField, WordsField } from '../parts/forms.tsx';
import { useAction, useLoad } from '../parts/load.ts';
import { Problem } from '../parts/problem.tsx';
import { Loaded, Table } from '../parts/table.tsx';
import { Card, Empty, Facts, Notice } from '../parts/ui.tsx';
import { toCsv } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';
import { receiptPage, receiptRows } from '../texts/receipt-page.ts';

type Which = Pick<RollBody, 'at' | 'name'>;

/** The roll of a moment or a frozen one, who came and went between two moments, and what is frozen. */
export const Rolls = () => {
  const { t } = useTexts();
  const { api } = useOperator();
  const frozen = useLoad(api.frozenRolls);
  const [shown, setShown] = useState<{ readonly which: Which; readonly answer: RollAnswer } | null>(null);
  const [at, setAt] = useState('');
  const action = useAction();
  const show = (which: Which) =>
    action.run(async () => setShown({ which, answer: await api.roll({ ...which, list: false }) }));
  return (
    <>
      <Card title={t('rollTitle')}>
        <p>{t('rollText')}</p>
        <form
          className="filters"
          onSubmit={(event) => {
            event.preventDefault();
            void show({ at });
          }}
        >
          <MomentField label={t('moment')} value={at} onChange={setAt} />
          <ActionButton type="submit" isWorking={action.isWorking} disabled={at === ''}>
            {t('rollShow')}
          </ActionButton>
        </form>
        {action.failure !== null && <Problem cause={action.failure} />}
        {shown !== null && <Receipt key={JSON.stringify(shown.which)} {...shown} onFrozen={frozen.reload} />}
      </Card>
      <Compare />
      <Card title={t('frozenTitle')}>
        <Loaded of={frozen}>
          {({ rolls }) => <Frozen rolls={rolls} onShow={(name) => void show({ name })} />}
        </Loaded>
      </Card>
    </>
  );
};

/** What `parseMoment` reads: without an offset it is Iceland's time. */
const MomentField = (props: { label: string; value: string; onChange: (value: string) => void }) => {
  const { t } = useTexts();
  return <TextField {...props} hint={t('momentHint')} input={{ type: 'datetime-local', required: true }} />;
};

const Receipt = (props: { which: Which; answer: RollAnswer; onFrozen: () => void }) => {
  const { t, format, language } = useTexts();
  const { api } = useOperator();
  const action = useAction();
  const { which, answer } = props;
  const { receipt } = answer;
  const file = `roll-${which.name ?? receipt.at.slice(0, 16).replaceAll(':', '')}`;
  const saveList = () =>
    action.run(async () => {
      const { list } = await api.roll({ ...which, list: true });
      saveFile(`${file}.txt`, list ?? '', 'text/plain');
    });
  return (
    <section aria-label={t('rollOf', { count: format.number(receipt.count) })}>
      <h3>{t('rollOf', { count: format.number(receipt.count) })}</h3>
      <Facts of={receiptRows(answer, language)} />
      <div className="actions">
        <ActionButton onPress={() => void saveList()} isWorking={action.isWorking}>
          {t('listFile')}
        </ActionButton>
        <SaveButton
          name={`${file}.json`}
          text={`${JSON.stringify(receipt, null, 2)}\n`}
          type="application/json"
        >
          {t('receiptFile')}
        </SaveButton>
        <SaveButton name={`${file}-is.html`} text={receiptPage(answer, 'is')} type="text/html">
          {t('pageIs')}
        </SaveButton>
        <SaveButton name={`${file}-en.html`} text={receiptPage(answer, 'en')} type="text/html">
          {t('pageEn')}
        </SaveButton>
      </div>
      <p className="small">{t('willBeRecorded')}</p>
      {action.failure !== null && <Problem cause={action.failure} />}
      {answer.frozen === null && <Freeze at={receipt.at} onFrozen={props.onFrozen} />}
    </section>
  );
};

const ROLL_NAME = '[a-z](?:[a-z0-9]|-(?=[a-z0-9])){2,59}';

const Freeze = ({ at, onFrozen }: { at: string; onFrozen: () => void }) => {
  const { t, format } = useTexts();
  const { api } = useOperator();
  const [name, setName] = useState('');
  const [until, setUntil] = useState('');
  const [reason, setReason] = useState('');
  const [done, setDone] = useState<FrozenRollAnswer | null>(null);
  const action = useAction();
  const freeze = (event: FormEvent) => {
    event.preventDefault();
    void action.run(async () => {
      setDone(await api.freezeRoll({ name, at, until, reason }));
      onFrozen();
    });
  };
  if (done !== null) {
    return (
      <Notice tone="good" isNew title={`${done.name}: ${t('until')}`}>
        <p>{format.time(done.until)}</p>
      </Notice>
    );
  }
  return (
    <form onSubmit={freeze}>
      <h3>{t('freeze')}</h3>
      <p className="small">{t('freezeText')}</p>
      <div className="filters">
        <TextField
          label={t('rollName')}
          value={name}
          onChange={setName}
          hint={t('rollNameHint')}
          input={{ required: true, pattern: ROLL_NAME, maxLength: 60, autoComplete: 'off' }}
        />
        <TextField
          label={t('until')}
          value={until}
          onChange={setUntil}
          input={{ type: 'date', required: true }}
        />
        <WordsField
          label={t('reason')}
          value={reason}
          onChange={setReason}
          hint={t('reasonHint')}
          maxLength={500}
        />
      </div>
      <ActionButton
        type="submit"
        kind="primary"
        isWorking={action.isWorking}
        disabled={name === '' || until === '' || !isSendable(reason)}
      >
        {t('freeze')}
      </ActionButton>
      {action.failure !== null && <Problem cause={action.failure} />}
    </form>
  );
};

/** More rows say no more to anybody; the file has all. */
const ROWS_SHOWN = 200;

const Compare = () => {
  const { t, format } = useTexts();
  const { api } = useOperator();
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [found, setFound] = useState<CompareAnswer | null>(null);
  const action = useAction();
  const rows =
    found === null
      ? []
      : [
          ...found.removed.map((kennitala) => [kennitala, t('removed')] as const),
          ...found.added.map((kennitala) => [kennitala, t('added')] as const),
        ];
  return (
    <Card title={t('compareTitle')}>
      <p>{t('compareText')}</p>
      <form
        className="filters"
        onSubmit={(event) => {
          event.preventDefault();
          void action.run(async () => setFound(await api.compareRolls({ from, to })));
        }}
      >
        <MomentField label={t('firstMoment')} value={from} onChange={setFrom} />
        <MomentField label={t('secondMoment')} value={to} onChange={setTo} />
        <ActionButton type="submit" isWorking={action.isWorking} disabled={from === '' || to === ''}>
          {t('compareDo')}
        </ActionButton>
      </form>
      <p className="small">{t(found === null ? 'willBeRecorded' : 'lookRecorded')}</p>
      {action.failure !== null && <Problem cause={action.failure} />}
      {found !== null && (
        <>
          <Notice
            tone="quiet"
            isNew
            title={t('cameAndWent', {
              came: format.number(found.added.length),
              went: format.number(found.removed.length),
            })}
          />
          {rows.length > 0 && (
            <>
              <Table
                caption={t('compareTitle')}
                columns={[{ head: t('kennitala'), isTitle: true }, { head: t('change') }]}
                rows={rows.slice(0, ROWS_SHOWN).map((cells) => ({ key: cells.join(' '), cells }))}
              />
              <SaveButton
                name="compared.csv"
                text={`﻿${toCsv([[t('kennitala'), t('change')], ...rows])}`}
                type="text/csv"
              >
                CSV
              </SaveButton>
            </>
          )}
        </>
      )}
    </Card>
  );
};

const Frozen = (props: { rolls: readonly FrozenRollAnswer[]; onShow: (name: string) => void }) => {
  const { t, format } = useTexts();
  if (props.rolls.length === 0) return <Empty title={t('noFrozen')}>{t('noFrozenText')}</Empty>;
  return (
    <Table
      caption={t('frozenTitle')}
      columns={[
        { head: t('rollName'), isTitle: true },
        { head: t('moment') },
        { head: t('members'), isNumber: true },
        { head: t('until') },
        { head: t('reason') },
        { head: t('show') },
      ]}
      rows={props.rolls.map(({ name, receipt, until, reason }) => ({
        key: name,
        cells: [
          name,
          format.time(receipt.at),
          format.number(receipt.count),
          format.time(until),
          reason,
          <button
            key="show"
            type="button"
            className="button plain"
            aria-label={`${t('show')}: ${name}`}
            onClick={() => {
              props.onShow(name);
              scrollTo({ top: 0 });
            }}
          >
            {t('show')}
          </button>,
        ],
      }))}
    />
  );
};
