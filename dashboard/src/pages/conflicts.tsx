import { useState } from 'preact/hooks';
import { useTexts } from '../i18n/language.tsx';
import { useOperator } from '../operator.ts';
import { Badge } from '../parts/badge.tsx';
import { Older } from '../parts/older.tsx';
import { Page } from '../parts/page.tsx';
import { Select } from '../parts/select.tsx';
import { Table } from '../parts/table.tsx';
import { hrefOf } from '../route.ts';

export const ConflictsPage = () => {
  const { t, tCode, format } = useTexts();
  const { api } = useOperator();
  const [state, setState] = useState('open');
  return (
    <Page title={t('conflicts')}>
      <Select
        label={t('state')}
        value={state}
        onChange={setState}
        options={['open', 'resolved'].map((code) => [code, tCode('conflict', code)])}
      />
      <Older
        key={state}
        read={async (before) => {
          const { conflicts, next } = await api.conflicts({ state, limit: 25, before });
          return { items: conflicts, next };
        }}
      >
        {(conflicts) => (
          <Table
            caption={t('conflicts')}
            columns={[t('found'), t('state'), t('member'), t('fields'), t('winner')]}
            rows={conflicts.map((conflict) => ({
              key: conflict.id,
              cells: [
                <a key="conflict" href={hrefOf('conflicts', conflict.id)}>
                  {format.time(conflict.detectedAt)}
                </a>,
                <Badge key="state" kind="conflict" code={conflict.state} />,
                conflict.member,
                Object.keys(conflict.paths)
                  .map((path) => tCode('field', path))
                  .join(', '),
                Object.values(conflict.paths)
                  .map(({ winner, decided }) => tCode('keep', decided ?? winner))
                  .join(', '),
              ],
            }))}
          />
        )}
      </Older>
    </Page>
  );
};
