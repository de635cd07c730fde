import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** Cloud Logging's. */
const SEVERITY = /^(?:DEFAULT|DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL|ALERT|EMERGENCY)$/;

/** One line as Cloud Logging would store it: the fields of a structured line, or `message` alone for plain text. */
export interface LogLine {
  readonly severity: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/**
 * Parses one line of a function's output. `firebase-functions/logger` writes a JSON object a line;
 * anything else is text, with the severity given for its stream.
 */
export function parseLogLine(line: string, textSeverity: string): LogLine {
  const entry = tryParseObject(line);
  if (entry === null) return { severity: textSeverity, message: line };
  const given = String(entry['severity']);
  const severity = SEVERITY.test(given) ? given : textSeverity;
  return { ...entry, severity, message: typeof entry['message'] === 'string' ? entry['message'] : '' };
}

/** Hands each line of a stream to `onLog` until the stream ends. */
export function followLog(stream: Readable, textSeverity: string, onLog: (line: LogLine) => void): void {
  createInterface({ input: stream }).on('line', (line) => onLog(parseLogLine(line, textSeverity)));
}

function tryParseObject(line: string): Record<string, unknown> | null {
  try {
    return line.startsWith('{') ? JSON.parse(line) : null;
  } catch {
    return null;
  }
}
