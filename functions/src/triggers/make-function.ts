import { createRequire } from 'node:module';
import type { HttpsFunction, HttpsOptions } from 'firebase-functions/https';
import { onSchedule, type ScheduledEvent, type ScheduleOptions } from 'firebase-functions/scheduler';
import { answerFailure, type FetchApp, serveFront, takeNextServer, withoutBody } from '../http/front.ts';
import { SyncError } from '../lib/errors.ts';
import { severityOfFault } from '../lib/log.ts';
import { functionTarget, isEmulated, REGION } from '../settings.ts';
import { log } from '../wiring/log.ts';

const require = createRequire(import.meta.url);

/** The parts of the SDK that bring an HTTP server's and Firestore's libraries with them. */
const https = (): typeof import('firebase-functions/https') => require('firebase-functions/https');
export const firestore = (): typeof import('firebase-functions/firestore') =>
  require('firebase-functions/firestore');

/**
 * The function `name`, made only in a process that serves it or looks at all of them: each deployed function is an
 * instance of its own, and would load at every cold start what only its neighbours need. `name` is the name of its
 * export. Elsewhere it is undefined, whatever its type says, and nobody asks for it.
 *
 * Loaded with `require`, since an entry module that awaits is refused by the official emulator
 * (https://github.com/firebase/firebase-tools/issues/8589).
 */
export const inItsProcess = <Made>(name: string, make: () => Made): Made =>
  [undefined, name].includes(functionTarget()) ? make() : (undefined as Made);

interface HttpFunctionOptions extends HttpsOptions {
  /** In bytes, as they come: nothing is ever decompressed. */
  readonly maxBodyBytes: number;
  /** Loaded at the first request. */
  readonly app: () => Promise<FetchApp>;
  /** For what fails before the app; a problem document without it. */
  readonly toAnswer?: (failure: SyncError) => Response | Promise<Response>;
}

/** Where the Functions emulator asks whether its process is up. */
const EMULATOR_HEALTH = '/__/health';

/**
 * A function that everybody can call: who calls is checked in its app. In a process that serves it, it takes each request
 * before the platform reads anything of it (`http/front.ts`); the SDK's wrapper still relates the log entries to the call.
 */
export const httpFunction = (
  name: string,
  { maxBodyBytes, app, toAnswer: answer = answerProblem, ...options }: HttpFunctionOptions,
): HttpsFunction =>
  inItsProcess(name, () => {
    const front = { maxBodyBytes, app, toAnswer: (failure: SyncError) => answer(forStrangers(failure)) };
    const made = https().onRequest(
      { region: REGION, invoker: 'public', cors: false, ...options },
      (request, response) => serveFront(request, response, front),
    );
    if (functionTarget() === name) {
      takeNextServer((request, response, pass) => {
        if (isEmulated() && request.url === EMULATOR_HEALTH) return pass();
        // The wrapper reads the headers alone; a promise that it returns never rejects.
        void made(request as Parameters<HttpsFunction>[0], response as Parameters<HttpsFunction>[1]);
      });
    }
    return made;
  });

/**
 * Wrong settings are found before the caller is known: what they hold is for the log alone. The name of one that is
 * missing tells nobody anything.
 */
const forStrangers = (failure: SyncError): SyncError => {
  if (failure.code !== 'config_invalid') return failure;
  const severity = severityOfFault(log, failure.message);
  log(severity, `[HTTP] ${failure.message}`, { event: 'config_invalid', code: failure.code });
  const { missing } = failure.details;
  return new SyncError(
    'config_invalid',
    missing === undefined
      ? 'A setting of this function is missing or wrong; its log says which.'
      : `A setting of this function is missing: ${missing}.`,
  );
};

const answerProblem = (failure: SyncError): Response => answerFailure(failure, log);

/** A job of Cloud Scheduler, which alone may call it. It reads headers only, so a body is kept from the platform's parsers too. */
export const scheduledFunction = (
  name: string,
  options: ScheduleOptions,
  run: (event: ScheduledEvent) => Promise<void>,
): ReturnType<typeof onSchedule> => {
  if (functionTarget() === name) {
    takeNextServer((request, _response, pass) => {
      if (!isEmulated() || request.url !== EMULATOR_HEALTH) withoutBody(request);
      pass();
    });
  }
  return onSchedule(
    { region: REGION, timeZone: 'Atlantic/Reykjavik', maxInstances: 1, concurrency: 1, ...options },
    run,
  );
};
