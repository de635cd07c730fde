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
  const { t, format } = useTexts();
  const { api } = useOperator();
  const found = useLoad(() => api.queueItem(id));
  const act = (send: (id: string, reason: string) => Promise<object>) => async (reason: string) => {
    await send(id, reason);
    found.reload();
  };
  return (
    <Page title={t('queue')}>
      <Loaded of={found}>
        {({ item }) => (
          <>
            <div class="card">
              <Facts
                of={[
                  [t('state'), <Badge key="state" kind="queue" code={item.status} />],
                  [t('kennitala'), item.kennitala],
                  [t('member'), item.member],
                  [t('edited'), format.time(item.editedAt)],
                  [t('attempts'), format.number(item.retryCount)],
                  [t('failed'), item.errorMessage],
                ]}
              />
              <p class="small">{t('lookRecorded')}</p>
            </div>
            <Table
              caption={t('fields')}
              columns={[t('fields'), t('before'), t('wanted'), t('state')]}
              rows={Object.entries(item.values).map(([path, { oldValue, newValue }]) => ({
                key: path,
                cells: [path, toText(oldValue), toText(newValue), item.settled[path] ?? '–'],
              }))}
            />
            {item.status === 'failed' && <ReasonForm label={t('retry')} act={act(api.retry)} />}
            {item.status === 'pending' && <ReasonForm label={t('giveUp')} isDanger act={act(api.giveUp)} />}
          </>
        )}
      </Loaded>
    </Page>
  );
};
