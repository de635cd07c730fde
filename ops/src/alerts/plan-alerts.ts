import type { Alerts } from './read-alerts.ts';

/** What a project has already. */
export interface PresentAlerts {
  readonly metrics: ReadonlySet<string>;
  /** Resource names of policies, by the name of the alert that they carry as a label. */
  readonly policies: ReadonlyMap<string, readonly string[]>;
}

export interface AlertCommands {
  /** Arguments of `gcloud`: metrics before the policies that look at them. */
  readonly commands: readonly (readonly string[])[];
  /** Resource names of policies of ours that no file describes any more, or that are there twice. */
  readonly superfluous: readonly string[];
}

/** What makes a project's alerts those of the files: each is created, or updated where it is. Pure. */
export const planAlerts = (
  { metrics, policies }: Alerts,
  present: PresentAlerts,
  { project, channel }: { readonly project: string; readonly channel: string },
): AlertCommands => {
  const inProject = `--project=${project}`;
  const kept = new Set<string>();
  const ofPolicies = policies.map(({ file, content }): readonly string[] => {
    const [name] = present.policies.get(content.userLabels.ekklesia_alert) ?? [];
    const from = `--policy-from-file=${file}`;
    if (name === undefined) {
      return [
        'alpha',
        'monitoring',
        'policies',
        'create',
        from,
        `--notification-channels=${channel}`,
        inProject,
      ];
    }
    kept.add(name);
    return [
      'alpha',
      'monitoring',
      'policies',
      'update',
      name,
      from,
      `--set-notification-channels=${channel}`,
      inProject,
    ];
  });
  return {
    commands: [
      ...metrics.map(({ file, content: { name } }) => [
        'logging',
        'metrics',
        present.metrics.has(name) ? 'update' : 'create',
        name,
        `--config-from-file=${file}`,
        inProject,
      ]),
      ...ofPolicies,
    ],
    superfluous: [...present.policies.values()].flat().filter((name) => !kept.has(name)),
  };
};
