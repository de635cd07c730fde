import type { Kennitala } from '../kennitala.ts';
import { FIELD_PATHS, rowOf } from './field-table.ts';
import { type FieldPath, type FieldValues, makeMember } from './fields.ts';
import type { Member } from './member.ts';
import { isWire } from './wire.ts';

/**
 * Reads a document of the portal, whoever wrote it and when: members' own clients, this project, or what came before
 * it. Times must be Dates already. Never throws: the registry is the source of truth, so what cannot be read counts
 * as empty and its next word repairs it; a status that cannot be read is inactive.
 *
 * @param kennitala The document's id, which decides who it is.
 */
export const parsePortalMember = (kennitala: Kennitala, document: unknown): Member => {
  const values: Partial<Record<FieldPath, unknown>> = {};
  for (const path of FIELD_PATHS) values[path] = readField(document, path);
  return makeMember(kennitala, values as FieldValues);
};

const readField = (document: unknown, path: FieldPath): unknown => {
  const row = rowOf(path);
  let here = document;
  for (const key of path.split('.')) here = isWire(here) && Object.hasOwn(here, key) ? here[key] : undefined;
  return row.fromPortal(here) ?? row.empty;
};
