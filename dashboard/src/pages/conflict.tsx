import { useState } from 'preact/hooks';
import type { ConflictDetail, ResolveAnswer, ResolveBody } from '../../../functions/src/ops/schemas.ts';
import { useTexts } from '../i18n/language.tsx';
import { useOperator } from '../operator.ts';
import { Badge } from '../parts/badge.tsx';
import { DecideForm, type Decision } from '../parts/decide-form.tsx';
import { Facts } from '../parts/facts.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Page } from '../parts/page.tsx';
import { Table } from '../parts/table.tsx';
import { useLoad } from '../parts/use-load.ts';
import { toText } from '../parts/value.ts';

export const ConflictPage = ({ id }: { id: string }) => {
  const { t, format } = useTexts();
  const { api } = useOperator();
  const [decided, setDecided] = useState<ResolveAnswer | null>(null);
  const found = useLoad(() => api.conflict(id));
  const decide = (path: string) => async (decision: Decision) => {
    const answer = await api.resolve(id, {
      path: path as ResolveBody['path'],
      keep: decision.keep,
      ...('value' in decision && { value: decision.value }),
    });
    setDecided(answer);
    found.reload();
  };
  return (
    <Page title={t('conflicts')}>
      {decided !== null && (
        <p role="status" class="notice">
          {t(!decided.queued ? 'decidedHere' : decided.delivered ? 'decidedSent' : 'decidedQueued')}
        </p>
      )}
      <Loaded of={found}>
        {({ conflict }) => (
          <>
            <div class="card">
              <Facts
                of={[
                  [t('state'), <Badge key="state" kind="conflict" code={conflict.state} />],
                  [t('kennitala'), conflict.kennitala],
                  [t('member'), conflict.member],
                  [t('found'), format.time(conflict.detectedAt)],
                ]}
              />
              <p class="small">{t('lookRecorded')}</p>
            </div>
            {Object.entries(conflict.paths).map(([path, disputed]) => (
              <FieldView key={path} path={path} disputed={disputed} decide={decide(path)} />
            ))}
          </>
        )}
      </Loaded>
    </Page>
  );
};

const FieldView = (props: {
  path: string;
  disputed: ConflictDetail['paths'][string];
  decide: (decision: Decision) => Promise<void>;
}) => {
  const { t, tCode, format } = useTexts();
  const { path, disputed } = props;
  const { resolution } = disputed;
  return (
    <div class="card">
      <h2>{tCode('field', path)}</h2>
      <Table
        caption={`${t('inPortal')} – ${t('inRegistry')}`}
        columns={[t('value'), t('inPortal'), t('inRegistry')]}
        rows={[
          { key: 'wanted', cells: [t('value'), toText(disputed.portal), toText(disputed.registry)] },
          {
            key: 'edited',
            cells: [
              t('edited'),
              format.time(disputed.portalEditedAt),
              format.time(disputed.registryChangedAt),
            ],
          },
        ]}
      />
      <Facts
        of={[
          [t('before'), toText(disputed.expected)],
          [t('winner'), tCode('keep', disputed.winner)],
          [t('why'), tCode('reason', disputed.reason)],
        ]}
      />
      {resolution === null ? (
        <DecideForm path={path} like={[disputed.portal, disputed.registry]} decide={props.decide} />
      ) : (
        <p>{t('decided', { by: resolution.by, keep: tCode('keep', resolution.keep) })}</p>
      )}
    </div>
  );
};
