import type { Scenario } from '../scenarios/scenario.ts';

/** The tours of `--scenario`, loaded when asked for. */
const SCENARIOS = {
  webhooks: async () => (await import('../scenarios/webhooks.ts')).playWebhooks,
  monday: async () => (await import('../scenarios/monday.ts')).prepareMonday,
  'two-way': async () => (await import('../scenarios/two-way.ts')).playTwoWay,
} as const satisfies Record<string, () => Promise<Scenario>>;

export type ScenarioName = keyof typeof SCENARIOS;

export const SCENARIO_NAMES = Object.keys(SCENARIOS) as readonly ScenarioName[];

export const loadScenario = (name: ScenarioName): Promise<Scenario> => SCENARIOS[name]();

/** Whether the stack is a person's afterwards; the other tours stop it. */
export const staysUpAfter = (name: ScenarioName): boolean => name === 'monday';
