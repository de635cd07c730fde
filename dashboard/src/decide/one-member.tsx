import { useState } from 'react';
import type { SyncMemberAnswer } from '../../../functions/src/ops/schemas.ts';
import { useOperator } from '../operator.ts';
import { Done } from '../pages/plan.tsx';
import { ActionButton, ReasonDialog } from '../parts/forms.tsx';
import { useAction } from '../parts/load.ts';
import { Problem } from '../parts/problem.tsx';
import { Table } from '../parts/table.tsx';
import { Card, Notice } from '../parts/ui.tsx';
import { toText } from '../parts/value.ts';
import { useTexts } from '../texts/language.tsx';

/** One person in the portal, compared with the registry, and brought in line with it: first a look, then the button. */
export const OneMember = ({ kennitala }: { kennitala: string }) => {
  const { t, tCode } = useTexts();
  const { api } = useOperator();
  const [seen, setSeen] = useState<SyncMemberAnswer | null>(null);
  const [run, setRun] = useState<Parameters<typeof Done>[0]['run'] | null>(null);
  const action = useAction();
  const sync = (dryRun: boolean) =>
    void action.run(async () => {
      setRun(null);
      setSeen(await api.syncMember(kennitala, dryRun));
    });
  return (
    <Card title={t('oneMember')}>
      <p className="small">{t('oneMemberText')}</p>
      <ActionButton onPress={() => sync(true)} isWorking={action.isWorking}>
        {t('oneMemberLook')}
      </ActionButton>
      {seen !== null && (
        <>
          <Notice
            isNew
            tone={seen.decision === 'applied' || seen.decision === 'unchanged' ? 'good' : 'warn'}
            title={tCode('decision', seen.decision)}
          />
          {seen.keptEdits.length > 0 && (
            <p className="small">
              {t('keptEdits', { fields: seen.keptEdits.map((path) => tCode('field', path)).join(', ') })}
            </p>
          )}
          {seen.decision !== 'applied' && seen.differences.length > 0 && (
            <Table
              caption={t('oneMember')}
              columns={[
                { head: t('fields'), isTitle: true },
                { head: t('inPortal') },
                { head: t('inRegistry') },
              ]}
              rows={seen.differences.map(({ path, portal, registry }) => ({
                key: path,
                cells: [tCode('field', path), toText(portal), toText(registry)],
              }))}
            />
          )}
          {seen.decision === 'would-apply' && (
            <ActionButton kind="primary" onPress={() => sync(false)} isWorking={action.isWorking}>
              {t('oneMemberDo')}
            </ActionButton>
          )}
          {seen.decision === 'stale' && (
            <ReasonDialog
              label={t('registryWord')}
              text={t('registryWordText')}
              act={async (reason) => {
                setRun((await api.registryWord({ kennitala, reason })).run);
                setSeen(null);
              }}
            />
          )}
        </>
      )}
      {run !== null && <Done run={run} />}
      {action.failure !== null && <Problem cause={action.failure} />}
    </Card>
  );
};
