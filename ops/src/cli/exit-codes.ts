/** What a command ends with, as `npm start` does. */
export const EXIT_CODES = {
  done: 0,
  /** Not done, not known, or not allowed. */
  failed: 1,
  /** The guard refuses the plan, or who is to be erased has not left: nothing was changed. */
  blocked: 2,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];
