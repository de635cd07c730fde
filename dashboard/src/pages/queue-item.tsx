import { useState } from 'preact/hooks';
import type { QueueItemDetail } from '../../../functions/src/ops/schemas.ts';
import { useTexts } from '../i18n/language.tsx';
import { useOperator } from '../operator.ts';
import { Badge } from '../parts/badge.tsx';
import { Facts } from '../parts/facts.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Page } from '../parts/page.tsx';
import { ReasonForm } from '../parts/reason-form.tsx';
import { Table } from '../parts/table.tsx';
import { useLoad } from '../parts/use-load.ts';
import { toText } from '../parts/value.ts';

export const QueueItemPage = ({ id }: { id: string }) => {
  const { t, tCode, format } = useTexts();
  const stateOf = (item: QueueItemDetail, path: string) => {
    const ended = item.settled[path];
    return ended === undefined ? tCode('queue', 'pending') : tCode('fieldOutcome', ended);
  };
  const { api } = useOperator();
  const found = useLoad(() => api.queueItem(id));
  const [said, setSaid] = useState('');
  const retry = async (reason: string) => {
    const { outcome, code } = (await api.retry(id, reason)).delivery;
    setSaid(
      [tCode('retry', outcome), ...(code === null ? [] : [`${tCode('error', code)} (${code})`])].join(' '),
    );
    found.reload();
  };
  const giveUp = async (reason: string) => {
    await api.giveUp(id, reason);
    setSaid(t('givenUp'));
    found.reload();
  };
  return (
    <Page title={t('queue')}>
      {said !== '' && (
        <p role="status" class="notice">
          {said}
        </p>
      )}
      <Loaded of={found}>
        {({ item }) => (
          <>
            <div class="card">
              <Facts
                of={[
                  [t('state'), <Badge key="state" kind="queue" code={item.status} />],
                  [t('decision'), item.isGivenUp ? t('staysUndelivered') : null],
                  [t('kennitala'), item.kennitala],
                  [t('member'), item.member],
                  [t('edited'), format.time(item.editedAt)],
                  [t('attempts'), format.number(item.retryCount)],
                  [t('error'), item.errorMessage],
                ]}
              />
              <p class="small">{t('lookRecorded')}</p>
            </div>
            <Table
              caption={t('fields')}
              columns={[t('fields'), t('before'), t('wanted'), t('state')]}
              rows={Object.entries(item.values).map(([path, { oldValue, newValue }]) => ({
                key: path,
                cells: [tCode('field', path), toText(oldValue), toText(newValue), stateOf(item, path)],
              }))}
            />
            {(item.status === 'failed' || item.status === 'pending') && (
              <ReasonForm label={t('retry')} act={retry} />
            )}
            {(item.status === 'pending' || (item.status === 'failed' && !item.isGivenUp)) && (
              <ReasonForm label={t('giveUp')} isDanger act={giveUp} />
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
};
