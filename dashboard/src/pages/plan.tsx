import type { MirrorName } from '../api/client.ts';
import { useTexts } from '../i18n/language.tsx';
import { useOperator } from '../operator.ts';
import { Page } from '../parts/page.tsx';
import { Planned } from '../parts/planned.tsx';

export const PlanPage = ({ mirror }: { mirror: MirrorName }) => {
  const { t } = useTexts();
  const { api } = useOperator();
  return (
    <Page title={t('planOf', { mirror: t(mirror) })}>
      <Planned
        planLabel={t('plan')}
        doLabel={t('runNow')}
        needsReason={false}
        start={({ dryRun, approve }) =>
          api.startRun({ mirror, ...(dryRun && { dryRun }), ...(approve && { approve }) })
        }
      />
    </Page>
  );
};
