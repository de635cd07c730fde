import { MIRRORS } from '../api.ts';
import { ConflictPage, ConflictsPage } from './conflicts.tsx';
import { ExplainPage } from './explain.tsx';
import { OverviewPage } from './overview.tsx';
import { PlanPage, RegistryWordPage } from './plan.tsx';
import { QueueItemPage, QueuePage } from './queue.tsx';
import { RecordPage } from './record.tsx';
import { RollbackPage } from './rollback.tsx';
import { RunPage } from './run.tsx';
import { RunsPage } from './runs.tsx';

export const PageOf = ({ route: [page, id] }: { route: readonly string[] }) => {
  switch (page) {
    case 'runs':
      return id === undefined ? <RunsPage /> : <RunPage runId={id} />;
    case 'plan': {
      const mirror = MIRRORS.find((name) => name === id);
      return mirror === undefined ? <RunsPage /> : <PlanPage mirror={mirror} />;
    }
    case 'registry-word':
      return <RegistryWordPage />;
    case 'rollback':
      return <RollbackPage />;
    case 'record':
      return <RecordPage />;
    case 'queue':
      return id === undefined ? <QueuePage /> : <QueueItemPage id={id} />;
    case 'conflicts':
      return id === undefined ? <ConflictsPage /> : <ConflictPage id={id} />;
    case 'explain':
      return <ExplainPage />;
    default:
      return <OverviewPage />;
  }
};
