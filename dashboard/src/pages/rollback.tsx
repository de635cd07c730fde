import { useState } from 'preact/hooks';
import { useTexts } from '../i18n/language.tsx';
import { useOperator } from '../operator.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Page } from '../parts/page.tsx';
import { Planned } from '../parts/planned.tsx';
import { Table } from '../parts/table.tsx';
import { useLoad } from '../parts/use-load.ts';
import { hrefOf } from '../route.ts';

export const RollbackPage = () => {
  const { t, format } = useTexts();
  const { api } = useOperator();
  const [generation, setGeneration] = useState<string | null>(null);
  const versions = useLoad(api.versions);
  return (
    <Page title={t('rollbackTitle')}>
      <p>{t('rollbackText')}</p>
      <Loaded of={versions}>
        {({ versions: kept }) =>
          kept.length === 0 ? (
            <p>{t('none')}</p>
          ) : (
            <Table
              caption={t('version')}
              columns={[t('published'), t('members'), t('run'), t('version')]}
              rows={kept.map((version) => ({
                key: version.generation,
                cells: [
                  format.time(version.publishedAt),
                  format.number(version.memberCount),
                  version.runId === null ? '–' : <a href={hrefOf('runs', version.runId)}>{t('show')}</a>,
                  version.isCurrent ? (
                    t('current')
                  ) : (
                    <button
                      type="button"
                      aria-pressed={generation === version.generation}
                      onClick={() => setGeneration(version.generation)}
                    >
                      {version.generation}
                    </button>
                  ),
                ],
              }))}
            />
          )
        }
      </Loaded>
      {generation !== null && (
        <Planned
          key={generation}
          planLabel={t('previewOf', { version: generation })}
          doLabel={t('doRollback')}
          needsReason
          start={({ dryRun, reason, approve }) =>
            api.rollback({
              generation,
              ...(dryRun && { dryRun }),
              ...(reason !== undefined && { reason }),
              ...(approve && { approve }),
            })
          }
        />
      )}
    </Page>
  );
};
