import type { LogLine } from '../functions/log-lines.ts';

/** A stack frame of a library or of Node itself: noise to who looks for the fault in this project. */
const FOREIGN_FRAME = /^\s+at .*(node_modules|node:)/;

/** One entry of the functions' log for a terminal. */
export const logText = ({ severity, message }: LogLine): string => {
  const kept = message.split('\n').filter((line) => !FOREIGN_FRAME.test(line));
  return `  ${severity === 'INFO' ? '' : `${severity} `}${kept.join('\n  ')}`;
};
