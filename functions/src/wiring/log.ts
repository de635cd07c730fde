import { write } from 'firebase-functions/logger';
import type { LogSink } from '../lib/log.ts';

/** Cloud Logging, by way of the process's output. */
export const log: LogSink = (severity, message, fields) => write({ severity, message, ...fields });
