import type { FunctionEvent } from '../../src/functions/start-functions.ts';
import { PROJECT } from './fixture-host.ts';

interface ItemEventOptions {
  readonly function: string;
  readonly id: string;
  readonly name?: string;
  readonly failures?: number;
}

/** A write of `items/first` as a structured CloudEvent, with the attributes that Cloud Firestore gives its events. */
export function makeItemEvent({ function: name, id, ...fields }: ItemEventOptions): FunctionEvent {
  const time = '2026-11-20T12:00:00.000000Z';
  const path = `projects/${PROJECT}/databases/(default)/documents/items/first`;
  const value = {
    name: path,
    createTime: time,
    updateTime: time,
    fields: {
      name: { stringValue: fields.name ?? 'ordinary' },
      failures: { integerValue: String(fields.failures ?? 0) },
    },
  };
  const event = {
    specversion: '1.0',
    id,
    time,
    type: 'google.cloud.firestore.document.v1.written',
    source: `//firestore.googleapis.com/projects/${PROJECT}/databases/(default)`,
    subject: 'documents/items/first',
    datacontenttype: 'application/json',
    project: PROJECT,
    database: '(default)',
    namespace: '(default)',
    document: 'items/first',
    data: { value, oldValue: {}, updateMask: {} },
  };
  return {
    function: name,
    headers: { 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify(event),
  };
}
