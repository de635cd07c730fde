import type { Engine } from './engine.ts';
import { parseResourceName } from './resource-name.ts';
import { toTimestamp } from './transactions.ts';
import type { V1Document } from './wire.ts';

/**
 * Puts a document into an empty database with the times that it had, so that a restart changes nothing.
 * The document is there when the function returns; the promise only tells of a refusal.
 */
export async function restoreDocument(engine: Engine, document: V1Document): Promise<void> {
  const { name = null, fields = {}, createTime, updateTime } = document;
  const created = toTimestamp(createTime ?? {});
  const updated = toTimestamp(updateTime ?? {});
  const steps: Promise<unknown>[] = [];
  if (!created.isEqual(updated)) {
    // The engine keeps no time that it is told, only that of a first write; its data must differ to be a first version.
    const extra = `not ${Object.keys(fields ?? {}).join()}`;
    const first: V1Document = { name, fields: { ...fields, [extra]: { nullValue: 'NULL_VALUE' } } };
    steps.push(engine.clock.at(created, () => engine.commit({ writes: [{ update: first }] })));
  }
  steps.push(engine.clock.at(updated, () => engine.commit({ writes: [{ update: { name, fields } }] })));
  await Promise.all(steps);
  engine.forgetHistory(parseResourceName(name).path, 0);
}
