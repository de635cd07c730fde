import { ConflictPage } from './conflict.tsx';
import { ConflictsPage } from './conflicts.tsx';
import { ExplainPage } from './explain.tsx';
import { OverviewPage } from './overview.tsx';
import { PlanPage } from './plan.tsx';
import { QueuePage } from './queue.tsx';
import { QueueItemPage } from './queue-item.tsx';
import { RollbackPage } from './rollback.tsx';
import { RunPage } from './run.tsx';
import { RunsPage } from './runs.tsx';

export const PageOf = ({ route: [page, id] }: { route: readonly string[] }) => {
  switch (page) {
    case 'runs':
      return id === undefined ? <RunsPage /> : <RunPage runId={id} />;
    case 'plan':
      return id === 'roster' || id === 'portal' || id === 'register' ? (
        <PlanPage mirror={id} />
      ) : (
        <RunsPage />
      );
    case 'rollback':
      return <RollbackPage />;
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
