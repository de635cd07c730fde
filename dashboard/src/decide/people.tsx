import { Copy } from 'lucide-react';
import { useState } from 'react';
import type { ListedPerson, RunGroups } from '../../../functions/src/ops/schemas.ts';
import { useOperator } from '../operator.ts';
import { ActionButton, SaveButton, SelectField, TextField } from '../parts/forms.tsx';
import { useAction } from '../parts/load.ts';
import { Problem } from '../parts/problem.tsx';
import { Table } from '../parts/table.tsx';
import { Card, Empty } from '../parts/ui.tsx';
import { toCsv } from '../texts/format.ts';
import { type Texts, useTexts } from '../texts/language.tsx';

const SHOWN_AT_ONCE = 50;

/**
 * Who a run adds and removes, or would: first counted without names, then by name. Each look is recorded before anything
 * is shown, so both are asked for by a button.
 */
export const People = ({ runId, onLook }: { runId: string; onLook?: () => void }) => {
  const { t } = useTexts();
  const { api } = useOperator();
  const [groups, setGroups] = useState<RunGroups | null>(null);
  const [people, setPeople] = useState<readonly ListedPerson[] | null>(null);
  const [next, setNext] = useState<number | null>(0);
  const action = useAction();
  const look = () =>
    action.run(async () => {
      setGroups(await api.groups(runId));
      onLook?.();
    });
  const load = (page: number) =>
    action.run(async () => {
      const found = await api.people(runId, page);
      setPeople([...(people ?? []), ...found.people]);
      setNext(found.nextPage);
    });
  return (
    <Card title={t('who')} id="people">
      {groups === null ? (
        <>
          <p>{t('whoText')}</p>
          <ActionButton onPress={() => void look()} isWorking={action.isWorking}>
            {t('lookAtGroups')}
          </ActionButton>
        </>
      ) : (
        <>
          {groups.added.count + groups.removed.count === 0 ? (
            <Empty title={t('nobody')}>{t('nobodyText')}</Empty>
          ) : (
            <>
              <Group title={t('removed')} of={groups.removed} />
              <Group title={t('added')} of={groups.added} />
            </>
          )}
          {groups.truncated && <p className="small">{t('groupsTruncated')}</p>}
          {people !== null && <PeopleTable people={people} runId={runId} />}
          {next !== null && groups.added.count + groups.removed.count > 0 && (
            <ActionButton onPress={() => void load(next)} isWorking={action.isWorking}>
              {people === null ? t('showNames') : t('moreNames')}
            </ActionButton>
          )}
        </>
      )}
      <p className="small">{t(groups === null ? 'willBeRecorded' : 'lookRecorded')}</p>
      {action.failure !== null && <Problem cause={action.failure} />}
    </Card>
  );
};

const Group = ({ title, of: group }: { title: string; of: RunGroups['added'] }) => {
  const { t, format } = useTexts();
  if (group.count === 0) return null;
  const parts = [
    [t('byAge'), group.ages],
    [t('byArea'), group.areas],
    [t('byJoined'), group.joined],
  ] as const;
  return (
    <section className="group" aria-label={title}>
      <h3>
        {title} <span className="count">{format.number(group.count)}</span>
      </h3>
      <div className="group-parts">
        {parts.map(([name, counts]) => (
          <div key={name}>
            <h4>{name}</h4>
            <ul className="shares">
              {mostOf(counts).map(({ key, count }) => (
                <li key={key}>
                  <span>{key === 'unknown' ? t('unknown') : key === 'others' ? t('others') : key}</span>
                  <span className="bar-track">
                    <span className="bar-fill before" style={{ width: `${(count / group.count) * 100}%` }} />
                  </span>
                  <span className="number">{format.number(count)}</span>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </div>
    </section>
  );
};

/** A party has members in dozens of areas and years: the largest are enough to see a pattern. */
const mostOf = (counts: RunGroups['added']['ages']): RunGroups['added']['ages'] => {
  const MOST = 7;
  if (counts.length <= MOST) return counts;
  const largest = counts.toSorted((one, other) => other.count - one.count).slice(0, MOST - 1);
  const shown = counts.filter((one) => largest.includes(one));
  const left = counts.filter((one) => !largest.includes(one));
  return [...shown, { key: 'others', count: left.reduce((sum, { count }) => sum + count, 0) }];
};

const PeopleTable = ({ people, runId }: { people: readonly ListedPerson[]; runId: string }) => {
  const texts = useTexts();
  const { t, format } = texts;
  const [search, setSearch] = useState('');
  const [what, setWhat] = useState('');
  const [shown, setShown] = useState(SHOWN_AT_ONCE);
  const [isCopied, setCopied] = useState(false);
  const wanted = search.trim().toLowerCase();
  const found = people.filter(
    (person) =>
      (what === '' || person.what === what) &&
      (wanted === '' ||
        [person.kennitala, person.name, person.postalCode].some((text) =>
          text?.toLowerCase().includes(wanted),
        )),
  );
  return (
    <>
      <div className="filters">
        <TextField label={t('search')} value={search} onChange={setSearch} input={{ autoComplete: 'off' }} />
        <SelectField
          label={t('change')}
          value={what}
          onChange={setWhat}
          options={[
            ['removed', t('removed')],
            ['added', t('added')],
          ]}
        />
        <ActionButton
          onPress={() => {
            void navigator.clipboard.writeText(listFor(found, texts)).then(() => setCopied(true));
          }}
        >
          <Copy size={14} aria-hidden="true" /> {t(isCopied ? 'copied' : 'copy')}
        </ActionButton>
        <SaveButton name={`run-${runId}.csv`} text={`﻿${listFor(found, texts)}`} type="text/csv">
          CSV
        </SaveButton>
      </div>
      <Table
        caption={t('peopleCount', { count: format.number(found.length) })}
        isCaptionShown
        columns={[
          { head: t('name'), isTitle: true },
          { head: t('kennitala') },
          { head: t('postalCode') },
          { head: t('dateJoined') },
          { head: t('change') },
        ]}
        rows={found.slice(0, shown).map((person) => ({
          key: `${person.what} ${person.kennitala}`,
          cells: [
            person.name ?? t('unknown'),
            person.kennitala,
            person.postalCode ?? '–',
            person.dateJoined?.slice(0, 10) ?? '–',
            t(person.what),
          ],
        }))}
      />
      {found.length > shown && (
        <ActionButton onPress={() => setShown(shown + 10 * SHOWN_AT_ONCE)}>
          {t('showMore', { count: format.number(found.length - shown) })}
        </ActionButton>
      )}
    </>
  );
};

const listFor = (people: readonly ListedPerson[], { t }: Texts): string =>
  toCsv([
    [t('change'), t('kennitala'), t('name'), t('postalCode'), t('dateJoined')],
    ...people.map((person) => [
      t(person.what),
      person.kennitala,
      person.name ?? '',
      person.postalCode ?? '',
      person.dateJoined?.slice(0, 10) ?? '',
    ]),
  ]);
