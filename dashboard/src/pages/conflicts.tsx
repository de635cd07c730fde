import { Radio } from '@base-ui/react/radio';
import { RadioGroup } from '@base-ui/react/radio-group';
import { type FormEvent, useState } from 'react';
import type { ConflictDetail, ResolveAnswer, ResolveBody } from '../../../functions/src/ops/schemas.ts';
import { useOperator } from '../operator.ts';
import { ActionButton, SelectField, TextField } from '../parts/forms.tsx';
import { useAction, useLoad } from '../parts/load.ts';
import { Problem } from '../parts/problem.tsx';
import { Loaded, Older, Table } from '../parts/table.tsx';
import { Badge, Card, Empty, Facts, Notice, Page } from '../parts/ui.tsx';
import { parseTyped, toText } from '../parts/value.ts';
import { hrefOf } from '../route.ts';
import { useTexts } from '../texts/language.tsx';

export const ConflictsPage = () => {
  const { t, tCode, format } = useTexts();
  const { api } = useOperator();
  const [state, setState] = useState('open');
  return (
    <Page title={t('conflicts')} lead={t('conflictsText')}>
      <Card>
        <div className="filters">
          <SelectField
            label={t('state')}
            value={state}
            onChange={setState}
            options={['open', 'resolved'].map((code) => [code, tCode('conflict', code)])}
          />
        </div>
        <Older
          key={state}
          empty={<Empty title={t('noConflicts')}>{t('noConflictsText')}</Empty>}
          read={async (before) => {
            const { conflicts, next } = await api.conflicts({ state, limit: 25, before });
            return { items: conflicts, next };
          }}
        >
          {(conflicts) => (
            <Table
              caption={t('conflicts')}
              columns={[
                { head: t('found') },
                { head: t('fields'), isTitle: true },
                { head: t('state') },
                { head: t('stands') },
                { head: t('member') },
              ]}
              rows={conflicts.map((conflict) => ({
                key: conflict.id,
                cells: [
                  format.time(conflict.detectedAt),
                  <a key="conflict" href={hrefOf('conflicts', conflict.id)}>
                    {Object.keys(conflict.paths)
                      .map((path) => tCode('field', path))
                      .join(', ')}
                  </a>,
                  <Badge key="state" kind="conflict" code={conflict.state} />,
                  Object.values(conflict.paths)
                    .map(({ winner, decided }) => tCode('keep', decided ?? winner))
                    .join(', '),
                  <code key="member">{conflict.member}</code>,
                ],
              }))}
            />
          )}
        </Older>
      </Card>
    </Page>
  );
};

type Decision =
  | { readonly keep: 'portal' | 'registry' }
  | { readonly keep: 'value'; readonly value: ReturnType<typeof JSON.parse> };

export const ConflictPage = ({ id }: { id: string }) => {
  const { t, format } = useTexts();
  const { api } = useOperator();
  const [decided, setDecided] = useState<ResolveAnswer | null>(null);
  const found = useLoad(() => api.conflict(id));
  const decide = (path: string) => async (decision: Decision) => {
    const answer = await api.resolve(id, {
      path: path as ResolveBody['path'],
      keep: decision.keep,
      ...('value' in decision && { value: decision.value }),
    });
    setDecided(answer);
    found.reload();
  };
  return (
    <Page title={t('conflict')} back={[hrefOf('conflicts'), t('conflicts')]}>
      {decided !== null && (
        <Notice tone="good" isNew title={t('decidedNow')}>
          <p>{t(!decided.queued ? 'decidedHere' : decided.delivered ? 'decidedSent' : 'decidedQueued')}</p>
        </Notice>
      )}
      <Loaded of={found}>
        {({ conflict }) => (
          <div className="stack">
            {Object.entries(conflict.paths).map(([path, disputed]) => (
              <Disputed key={path} path={path} disputed={disputed} decide={decide(path)} />
            ))}
            <Card title={t('details')}>
              <Facts
                of={[
                  [t('state'), <Badge key="state" kind="conflict" code={conflict.state} />],
                  [t('kennitala'), conflict.kennitala],
                  [t('member'), <code key="member">{conflict.member}</code>],
                  [t('found'), format.time(conflict.detectedAt)],
                ]}
              />
              <p className="small">{t('lookRecorded')}</p>
            </Card>
          </div>
        )}
      </Loaded>
    </Page>
  );
};

const Disputed = (props: {
  path: string;
  disputed: ConflictDetail['paths'][string];
  decide: (decision: Decision) => Promise<void>;
}) => {
  const { t, tCode, format } = useTexts();
  const { path, disputed } = props;
  const { resolution } = disputed;
  return (
    <Card title={tCode('field', path)}>
      {resolution !== null && (
        <Notice tone="good" title={t('decidedBy', { by: resolution.by, time: format.time(resolution.at) })}>
          <p>
            {t('kept', { keep: tCode('keep', resolution.keep) })} <strong>{toText(resolution.value)}</strong>
          </p>
        </Notice>
      )}
      <p className="small">
        {t('before')}: {toText(disputed.expected)} · {t('stands')}: {tCode('keep', disputed.winner)} (
        {tCode('reason', disputed.reason)})
      </p>
      {resolution === null ? (
        <Decide {...props} />
      ) : (
        <div className="values">
          <div className="value">
            <span className="value-name">{t('inRegistry')}</span>
            <strong>{toText(disputed.registry)}</strong>
          </div>
          <div className="value">
            <span className="value-name">{t('inPortal')}</span>
            <strong>{toText(disputed.portal)}</strong>
          </div>
        </div>
      )}
    </Card>
  );
};

/** One field of a conflict: the registry's value, the member's, or another one. */
const Decide = (props: {
  path: string;
  disputed: ConflictDetail['paths'][string];
  decide: (decision: Decision) => Promise<void>;
}) => {
  const { t, tCode, format } = useTexts();
  const { disputed } = props;
  const [keep, setKeep] = useState<Decision['keep'] | null>(null);
  const [typed, setTyped] = useState('');
  const action = useAction();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (keep === null) return;
    const like = [disputed.portal, disputed.registry];
    void action.run(() =>
      props.decide(keep === 'value' ? { keep, value: parseTyped(typed, like) } : { keep }),
    );
  };
  const choices = [
    ['registry', t('keepRegistry'), toText(disputed.registry), format.time(disputed.registryChangedAt)],
    ['portal', t('keepPortal'), toText(disputed.portal), format.time(disputed.portalEditedAt)],
    ['value', t('keepOther'), '', ''],
  ] as const;
  return (
    <form onSubmit={submit}>
      <RadioGroup
        className="values"
        aria-label={`${t('decide')}: ${tCode('field', props.path)}`}
        value={keep}
        onValueChange={(value) => setKeep(value as Decision['keep'])}
      >
        {choices.map(([choice, name, value, time]) => (
          // biome-ignore lint/a11y/noLabelWithoutControl: the radio inside is the control.
          <label key={choice} className="value choice">
            <Radio.Root value={choice} className="radio" aria-label={name}>
              <Radio.Indicator className="radio-mark" />
            </Radio.Root>
            <span className="value-name">{name}</span>
            {value !== '' && <strong>{value}</strong>}
            {time !== '' && <span className="small">{t('writtenAt', { time })}</span>}
          </label>
        ))}
      </RadioGroup>
      {keep === 'value' && (
        <TextField label={t('wanted')} value={typed} onChange={setTyped} input={{ required: true }} />
      )}
      <ActionButton type="submit" kind="primary" isWorking={action.isWorking} disabled={keep === null}>
        {t('decide')}
      </ActionButton>
      {action.failure !== null && <Problem cause={action.failure} />}
    </form>
  );
};
