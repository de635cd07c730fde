import { useState } from 'react';
import type { RosterVersions } from '../../../functions/src/ops/schemas.ts';
import { useOperator } from '../operator.ts';
import { useLoad } from '../parts/load.ts';
import { Loaded, Table } from '../parts/table.tsx';
import { Card, Empty, Page } from '../parts/ui.tsx';
import { hrefOf } from '../route.ts';
import { useTexts } from '../texts/language.tsx';
import { Planned } from './plan.tsx';

type Version = RosterVersions['versions'][number];

export const RollbackPage = () => {
  const { t, format } = useTexts();
  const { api } = useOperator();
  const [chosen, setChosen] = useState<Version | null>(null);
  const versions = useLoad(api.versions);
  const action = (version: Version) =>
    version.isCurrent ? (
      <span className="chip good">{t('current')}</span>
    ) : (
      <button
        type="button"
        className="button plain"
        aria-pressed={chosen?.generation === version.generation}
        aria-label={`${t('choose')}: ${format.time(version.publishedAt)} (${version.generation})`}
        onClick={() => {
          setChosen(version);
          scrollTo({ top: 0 });
        }}
      >
        {t('choose')}
      </button>
    );
  return (
    <Page title={t('rollbackTitle')} lead={t('rollbackText')} back={[hrefOf('runs'), t('runs')]}>
      {chosen !== null && (
        <Planned
          key={chosen.generation}
          mirror="roster"
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
            <Empty title={t('noVersions')}>{t('noVersionsText')}</Empty>
          ) : (
            <Card title={t('versions')}>
              <Table
                caption={t('versions')}
                columns={[
                  { head: t('published'), isTitle: true },
                  { head: t('members'), isNumber: true },
                  { head: t('run') },
                  { head: t('version') },
                ]}
                rows={kept.map((version) => ({
                  key: version.generation,
                  cells: [
                    format.time(version.publishedAt),
                    format.number(version.memberCount),
                    version.runId === null ? (
                      '–'
                    ) : (
                      <a key="run" href={hrefOf('runs', version.runId)}>
                        {t('show')}
                      </a>
                    ),
                    action(version),
                  ],
                }))}
              />
            </Card>
          )
        }
      </Loaded>
    </Page>
  );
};
