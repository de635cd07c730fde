import type { LogLine } from '../functions/log-lines.ts';

/** A stack frame of a library or of Node itself: noise to who looks for the fault in this project. */
const FOREIGN_FRAME = /^\s+at .*(node_modules|node:)/;

/** One entry of the functions' log for a terminal. */
const logText = ({ severity, message }: LogLine): string => {
  const kept = message.split('\n').filter((line) => !FOREIGN_FRAME.test(line));
  return `  ${severity === 'INFO' ? '' : `${severity} `}${kept.join('\n  ')}`;
};

export interface LogView {
  readonly show: (line: LogLine) => void;
  /** Does `work` and then says how many lines were logged, and how severe, instead of showing each. */
  counting<T>(instead: boolean, work: () => Promise<T>): Promise<T>;
}

/** The functions' log as a person sees it: each line, or during a tour their number. */
export const makeLogView = (say: (lines: readonly string[]) => void): LogView => {
  let counted: Map<string, number> | null = null;
  return {
    show: (line) => {
      if (counted === null) say([logText(line)]);
      else counted.set(line.severity, (counted.get(line.severity) ?? 0) + 1);
    },
    counting: async (instead, work) => {
      if (!instead) return work();
      counted = new Map();
      try {
        return await work();
      } finally {
        const each = [...counted].map(([severity, lines]) => `${lines} ${severity}`);
        counted = null;
        if (each.length > 0) say(['', `The functions logged ${each.join(', ')}; --verbose shows each line.`]);
      }
    },
  };
};
