import { useState } from 'preact/hooks';
import type { RosterVersions } from '../../../functions/src/ops/schemas.ts';
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
  const [chosen, setChosen] = useState<RosterVersions['versions'][number] | null>(null);
  const versions = useLoad(api.versions);
  return (
    <Page title={t('rollbackTitle')}>
      <p>{t('rollbackText')}</p>
      {chosen !== null && (
        <Planned
          key={chosen.generation}
          planLabel={t('previewOf', {
            version: format.time(chosen.publishedAt),
            members: format.number(chosen.memberCount),
          })}
          doLabel={t('doRollback')}
          needsReason
          start={({ dryRun, reason, approve }) =>
            api.rollback({
              generation: chosen.generation,
              ...(dryRun && { dryRun }),
              ...(reason !== undefined && { reason }),
              ...(approve && { approve }),
            })
          }
        />
      )}
      <Loaded of={versions}>
        {({ versions: kept }) =>
          kept.length === 0 ? (
            <p>{t('none')}</p>
          ) : (
            <Table
              caption={t('versions')}
              columns={[t('published'), t('version'), t('members'), t('run')]}
              rows={kept.map((version) => ({
                key: version.generation,
                cells: [
                  format.time(version.publishedAt),
                  version.isCurrent ? (
                    t('current')
                  ) : (
                    <button
                      type="button"
                      aria-pressed={chosen?.generation === version.generation}
                      aria-label={`${t('choose')}: ${format.time(version.publishedAt)} (${version.generation})`}
                      onClick={() => {
                        setChosen(version);
                        scrollTo({ top: 0 });
                      }}
                    >
                      {t('choose')}
                    </button>
                  ),
                  format.number(version.memberCount),
                  version.runId === null ? '–' : <a href={hrefOf('runs', version.runId)}>{t('show')}</a>,
                ],
              }))}
            />
          )
        }
      </Loaded>
    </Page>
  );
};
