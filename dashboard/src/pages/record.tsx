import { useState } from 'react';
import type { VerifyAnswer } from '../../../functions/src/ops/schemas.ts';
import { useOperator } from '../operator.ts';
import { ActionButton, SaveButton } from '../parts/forms.tsx';
import { useAction, useLoad } from '../parts/load.ts';
import { Problem } from '../parts/problem.tsx';
import { Loaded, Table } from '../parts/table.tsx';
import { Card, Notice, Page } from '../parts/ui.tsx';
import { Rolls } from '../rolls/rolls.tsx';
import { useTexts } from '../texts/language.tsx';
import { recordSentence } from '../texts/words.ts';

/** What proves what was: the record of runs and operators, and the lists that were in force. */
export const RecordPage = () => {
  const { t } = useTexts();
  return (
    <Page title={t('recordTitle')} lead={t('recordText')}>
      <Walk />
      <Rolls />
    </Page>
  );
};

const Walk = () => {
  const texts = useTexts();
  const { t } = texts;
  const { api } = useOperator();
  const status = useLoad(api.status);
  const [found, setFound] = useState<VerifyAnswer | null>(null);
  const action = useAction();
  const verify = () =>
    action.run(async () => {
      setFound(await api.verify());
      status.reload();
    });
  return (
    <Card title={t('verifyTitle')}>
      <Loaded of={status}>{({ verified, at }) => <p>{recordSentence(verified, at, texts)}</p>}</Loaded>
      {found !== null && <Found of={found} />}
      <p className="small">{t('verifyText')}</p>
      <div className="actions">
        <ActionButton onPress={() => void verify()} isWorking={action.isWorking}>
          {t('verifyDo')}
        </ActionButton>
        {found !== null && (
          <SaveButton
            name="chain.pem"
            text={found.publicKeys.map(({ pem }) => pem).join('')}
            type="application/x-pem-file"
          >
            {t('publicKey')}
          </SaveButton>
        )}
      </div>
      {action.failure !== null && <Problem cause={action.failure} />}
    </Card>
  );
};

const Found = ({ of: { whole, findings } }: { of: VerifyAnswer }) => {
  const { t, tCode } = useTexts();
  if (whole) return <Notice tone="good" isNew title={t('recordWhole')} />;
  return (
    <>
      <Notice tone="bad" isNew title={t('recordBroken')}>
        <p>{t('keepThis')}</p>
      </Notice>
      <Table
        caption={t('recordBroken')}
        columns={[{ head: t('where'), isTitle: true }, { head: t('what') }, { head: t('why') }]}
        rows={findings.map(({ kind, where, link, why }) => ({
          key: `${where} ${kind} ${link?.stream} ${link?.number} ${why}`,
          cells: [
            where,
            tCode('chain', kind),
            // Of the program's own words, which are in English.
            <span key="why" lang="en">
              {why}
            </span>,
          ],
        }))}
      />
    </>
  );
};
