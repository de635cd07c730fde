export type Severity = 'DEBUG' | 'INFO' | 'NOTICE' | 'WARNING' | 'ERROR';

/** Non-personal facts: ids of runs, counts, codes, durations. */
export type LogFields = Readonly<
  Record<string, string | number | boolean | null | undefined | readonly (string | number)[]>
>;

/**
 * Where log entries go: one structured entry a call. Called only by the named functions of a feature's log file,
 * so that every message and every field that can reach a log stands in a few files, and none can carry personal data.
 */
export type LogSink = (severity: Severity, message: string, fields: LogFields) => void;
