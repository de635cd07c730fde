import { useState } from 'react';
import type { QueueItemDetail, TwoWayRunAnswer, TwoWayRunBody } from '../../../functions/src/ops/schemas.ts';
import { useOperator } from '../operator.ts';
import { ActionButton, ReasonDialog, SelectField } from '../parts/forms.tsx';
import { useAction, useLoad } from '../parts/load.ts';
import { Problem, Remedy } from '../parts/problem.tsx';
import { Loaded, Older, Table } from '../parts/table.tsx';
import { Badge, Card, Empty, Facts, Notice, Page } from '../parts/ui.tsx';
import { toText } from '../parts/value.ts';
import { hrefOf } from '../route.ts';
import { useTexts } from '../texts/language.tsx';

const STATUSES = ['pending', 'synced', 'failed', 'conflict'];

export const QueuePage = () => {
  const { t, tCode, format } = useTexts();
  const { api } = useOperator();
  const [status, setStatus] = useState('');
  const [sweeps, setSweeps] = useState(0);
  return (
    <Page title={t('queue')} lead={t('queueText')}>
      <Sweep onDone={() => setSweeps(sweeps + 1)} />
      <Card>
        <div className="filters">
          <SelectField
            label={t('state')}
            value={status}
            onChange={setStatus}
            options={STATUSES.map((code) => [code, tCode('queue', code)])}
          />
        </div>
        <Older
          key={`${status} ${sweeps}`}
          empty={<Empty title={t('noEdits')}>{t('noEditsText')}</Empty>}
          read={async (before) => {
            const { items, next } = await api.queue({ status, limit: 25, before });
            return { items, next };
          }}
        >
          {(items) => (
            <Table
              caption={t('queue')}
              columns={[
                { head: t('edited') },
                { head: t('fields'), isTitle: true },
                { head: t('state') },
                { head: t('member') },
                { head: t('attempts'), isNumber: true },
              ]}
              rows={items.map((item) => ({
                key: item.id,
                cells: [
                  format.time(item.editedAt),
                  <a key="item" href={hrefOf('queue', item.id)}>
                    {[...item.waiting, ...Object.keys(item.settled)]
                      .map((path) => tCode('field', path))
                      .join(', ')}
                  </a>,
                  <Badge key="state" kind="queue" code={item.status} />,
                  <code key="member">{item.member}</code>,
                  format.number(item.retryCount),
                ],
              }))}
            />
          )}
        </Older>
      </Card>
    </Page>
  );
};

/** The nightly sweep, on request. */
const Sweep = ({ onDone }: { onDone: () => void }) => {
  const { t, format } = useTexts();
  const { api } = useOperator();
  const [deliver, setDeliver] = useState<NonNullable<TwoWayRunBody['deliver']>>('due');
  const [swept, setSwept] = useState<TwoWayRunAnswer['run'] | null>(null);
  const action = useAction();
  const send = () =>
    action.run(async () => {
      setSwept(null);
      setSwept((await api.sweep({ deliver })).run);
      onDone();
    });
  return (
    <Card title={t('sweep')}>
      <div className="filters">
        <SelectField
          label={t('sweepWhat')}
          value={deliver}
          onChange={(value) => setDeliver(value as typeof deliver)}
          hasAll={false}
          options={[
            ['due', t('sweepDue')],
            ['waiting', t('sweepWaiting')],
            ['failed', t('sweepFailed')],
          ]}
        />
        <ActionButton onPress={() => void send()} isWorking={action.isWorking}>
          {t('sweepDo')}
        </ActionButton>
      </div>
      <p className="small">{t('sweepText')}</p>
      {swept !== null && (
        <Notice
          isNew
          tone={swept.status === 'success' ? 'good' : 'warn'}
          title={t('sweepDone', {
            sent: format.number(swept.firestoreToDjango.success),
            failed: format.number(swept.firestoreToDjango.failed),
            taken: format.number(swept.djangoToFirestore.success),
          })}
        >
          {swept.status !== 'success' && <p>{t('sweepNotWell')}</p>}
        </Notice>
      )}
      {action.failure !== null && <Problem cause={action.failure} />}
    </Card>
  );
};

export const QueueItemPage = ({ id }: { id: string }) => {
  const { t, tCode, format } = useTexts();
  const { api } = useOperator();
  const found = useLoad(() => api.queueItem(id));
  const [said, setSaid] = useState<{ text: string; code: string | null } | null>(null);
  const stateOf = (item: QueueItemDetail, path: string) => {
    const ended = item.settled[path];
    return ended === undefined ? tCode('queue', 'pending') : tCode('fieldOutcome', ended);
  };
  const retry = async (reason: string) => {
    const { outcome, code } = (await api.retry(id, reason)).delivery;
    setSaid({ text: tCode('retry', outcome), code });
    found.reload();
  };
  const giveUp = async (reason: string) => {
    await api.giveUp(id, reason);
    setSaid({ text: t('givenUp'), code: null });
    found.reload();
  };
  return (
    <Page title={t('edit')} back={[hrefOf('queue'), t('queue')]}>
      {said !== null && (
        <Notice tone={said.code === null ? 'good' : 'warn'} isNew title={said.text}>
          {said.code !== null && (
            <>
              <p>{tCode('error', said.code)}</p>
              <Remedy code={said.code} isOpen />
            </>
          )}
        </Notice>
      )}
      <Loaded of={found}>
        {({ item }) => (
          <div className="stack">
            <Card title={t('fields')}>
              <Table
                caption={t('fields')}
                columns={[
                  { head: t('fields'), isTitle: true },
                  { head: t('before') },
                  { head: t('wanted') },
                  { head: t('state') },
                ]}
                rows={Object.entries(item.values).map(([path, { oldValue, newValue }]) => ({
                  key: path,
                  cells: [tCode('field', path), toText(oldValue), toText(newValue), stateOf(item, path)],
                }))}
              />
              <div className="actions">
                {(item.status === 'failed' || item.status === 'pending') && (
                  <ReasonDialog label={t('retry')} kind="primary" act={retry} />
                )}
                {(item.status === 'pending' || (item.status === 'failed' && !item.isGivenUp)) && (
                  <ReasonDialog label={t('giveUp')} text={t('giveUpText')} kind="danger" act={giveUp} />
                )}
              </div>
            </Card>
            <Card title={t('details')}>
              <Facts
                of={[
                  [t('state'), <Badge key="state" kind="queue" code={item.status} />],
                  [t('decision'), item.isGivenUp ? t('staysUndelivered') : null],
                  [t('kennitala'), item.kennitala],
                  [t('member'), <code key="member">{item.member}</code>],
                  [t('edited'), format.time(item.editedAt)],
                  [t('attempts'), format.number(item.retryCount)],
                  [t('nextAttempt'), item.status === 'pending' ? format.time(item.nextAttemptAt) : null],
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
