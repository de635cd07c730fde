import { useState } from 'preact/hooks';
import { useTexts } from '../i18n/language.tsx';
import { useOperator } from '../operator.ts';
import { Badge } from '../parts/badge.tsx';
import { Older } from '../parts/older.tsx';
import { Page } from '../parts/page.tsx';
import { Select } from '../parts/select.tsx';
import { Table } from '../parts/table.tsx';
import { hrefOf } from '../route.ts';

const STATUSES = ['pending', 'synced', 'failed', 'conflict'];

export const QueuePage = () => {
  const { t, tCode, format } = useTexts();
  const { api } = useOperator();
  const [status, setStatus] = useState('');
  return (
    <Page title={t('queue')}>
      <Select
        label={t('state')}
        value={status}
        onChange={setStatus}
        options={STATUSES.map((code) => [code, tCode('queue', code)])}
      />
      <Older
        key={status}
        read={async (before) => {
          const { items, next } = await api.queue({ status, limit: 25, before });
          return { items, next };
        }}
      >
        {(items) => (
          <Table
            caption={t('queue')}
            columns={[t('edited'), t('state'), t('member'), t('fields'), t('attempts')]}
            rows={items.map((item) => ({
              key: item.id,
              cells: [
                <a key="item" href={hrefOf('queue', item.id)}>
                  {format.time(item.editedAt)}
                </a>,
                <Badge key="state" kind="queue" code={item.status} />,
                item.member,
                [...item.waiting, ...Object.keys(item.settled)]
                  .map((path) => tCode('field', path))
                  .join(', '),
                format.number(item.retryCount),
              ],
            }))}
          />
        )}
      </Older>
    </Page>
  );
};
