import { isDeepStrictEqual } from 'node:util';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import type { Json } from '../../../src/domain/member/fields.ts';
import type { Change, ChangeAnswer, OutboxRow } from '../../../src/registry/ports.ts';

export interface ModelMember {
  readonly id: number;
  readonly values: Readonly<Record<string, Json>>;
  readonly version: number;
  readonly changedAt: Readonly<Record<string, Date>>;
}

/** One value that a field has had in the registry, and who wrote it over what. */
export interface Written {
  readonly kennitala: Kennitala;
  readonly path: string;
  readonly value: Json;
  readonly before: Json;
  readonly by: 'registry' | 'portal';
  readonly at: Date;
  /** False for what the registry held at the start. */
  readonly wasEdited: boolean;
}

export interface ModelWebhook {
  readonly id: string;
  readonly body: { readonly kennitala: string; readonly version: number | null } & Record<string, unknown>;
}

export const MODEL_PATHS = ['profile.email', 'profile.facebook', 'profile.reachable'] as const;
/** What the model refuses to keep. */
export const REFUSED_VALUE = 'refused';

export interface ModelOptions {
  readonly companion: boolean;
  readonly allowsCreate?: boolean;
  /**
   * As the party's own registry is without the companion app: of what it is sent it writes an e-mail that is not empty,
   * answers `success` to all else, and shows one member flat, without id and version, from other tables.
   */
  readonly isLegacy?: boolean;
}

/** What a legacy registry writes of what it is sent. */
export const isTakenByLegacy = (path: string, value: Json): boolean =>
  path === 'profile.email' && value !== '';

/**
 * The registry as its contract describes it, with its change queue and its webhooks: the companion app compares expected
 * values, counts versions and remembers answers; without it, what is told is written.
 */
export const makeRegistryModel = (
  kennitalas: readonly Kennitala[],
  now: () => Date,
  { companion, allowsCreate = false, isLegacy = false }: ModelOptions,
) => {
  const members = new Map<Kennitala, ModelMember>(
    kennitalas.map((kennitala, n) => [
      kennitala,
      { id: n + 1, version: 0, changedAt: {}, values: { name: 'Generated', ...emptyValues } },
    ]),
  );
  const remembered = new Map<string, { readonly request: unknown; readonly answer: ChangeAnswer }>();
  const written: Written[] = kennitalas.flatMap((kennitala) =>
    Object.entries(emptyValues).map(([path, value]) => ({
      kennitala,
      path,
      value,
      before: null,
      by: 'registry' as const,
      at: now(),
      wasEdited: false,
    })),
  );
  const webhooks: ModelWebhook[] = [];
  const outbox: OutboxRow[] = [];
  let version = 0;

  const write = (
    kennitala: Kennitala,
    values: Readonly<Record<string, Json>>,
    by: Written['by'],
    wasEdited = true,
  ): void => {
    const member = members.get(kennitala);
    if (member === undefined) throw new Error('The model has no such member.');
    version += 1;
    for (const [path, value] of Object.entries(values)) {
      written.push({ kennitala, path, value, by, at: now(), wasEdited, before: member.values[path] ?? null });
    }
    const changedAt = { ...member.changedAt };
    for (const path of Object.keys(values)) changedAt[path] = now();
    members.set(kennitala, { ...member, values: { ...member.values, ...values }, version, changedAt });
    announce(kennitala, 'update', by);
  };

  const announce = (kennitala: Kennitala, action: OutboxRow['action'], by: Written['by']): void => {
    const data = action === 'delete' ? {} : { data: wireOf(kennitala) };
    const facts = { kennitala, action, ...data, occurred_at: now().toISOString() };
    webhooks.push({ id: `msg_${version}`, body: { ...facts, version: companion ? version : null } });
    if (by === 'registry') outbox.push({ id: version, ssn: kennitala, action, createdAt: now() });
  };

  const wireOf = (kennitala: Kennitala): Record<string, unknown> | null => {
    const member = members.get(kennitala);
    if (member === undefined) return null;
    const { values } = member;
    return {
      id: member.id,
      ssn: kennitala,
      name: values['name'],
      reachable: values['profile.reachable'],
      contact_info: { email: values['profile.email'], facebook: values['profile.facebook'] },
      ...(companion && { version: member.version }),
    };
  };

  const applyOne = (change: Change): ChangeAnswer => {
    if (change.action === 'create') return applyCreate(change);
    const member = members.get(change.kennitala);
    if (member === undefined) return refuse('unknown_member');
    const entries = Object.entries(change.changes);
    if (
      entries.some(([path, value]) => value === REFUSED_VALUE && (!isLegacy || isTakenByLegacy(path, value)))
    ) {
      return refuse('invalid_value');
    }
    const differing = entries.filter(
      ([path, value]) =>
        !isDeepStrictEqual(member.values[path], value) && (!isLegacy || isTakenByLegacy(path, value)),
    );
    const disputed = differing.filter(
      ([path]) => !isDeepStrictEqual(member.values[path], change.expected?.[path]),
    );
    if (companion && disputed.length > 0) {
      const times = disputed.flatMap(([path]) => member.changedAt[path] ?? []).map((time) => time.getTime());
      return {
        status: 'conflict',
        current: Object.fromEntries(entries.map(([path]) => [path, member.values[path] ?? null])),
        version: member.version,
        changedAt: times.length === 0 ? null : new Date(Math.max(...times)),
      };
    }
    if (differing.length > 0) write(change.kennitala, Object.fromEntries(differing), 'portal');
    return { status: 'success', version: companion ? (members.get(change.kennitala)?.version ?? 0) : null };
  };

  const applyCreate = ({ kennitala, changes }: Change): ChangeAnswer => {
    if (!allowsCreate) return refuse('action_not_allowed');
    if (members.has(kennitala)) return refuse('already_exists');
    const values = { ...emptyValues, name: changes['profile.name'] ?? '' };
    members.set(kennitala, { id: members.size + 1, version: 0, changedAt: {}, values });
    const told = Object.entries(changes).filter(([path]) =>
      (MODEL_PATHS as readonly string[]).includes(path),
    );
    write(kennitala, Object.fromEntries(told), 'portal');
    return { status: 'success', version: companion ? version : null };
  };

  /** `GET /api/sync/member/<ssn>/`. */
  const answerOf = (kennitala: Kennitala): Record<string, unknown> | null => {
    const wire = wireOf(kennitala);
    if (wire === null || !isLegacy) return wire;
    return { ssn: kennitala, name: wire['name'], email: 'old@example.is', reachable: wire['reachable'] };
  };

  return {
    members,
    answerOf,
    /** All of `GET /api/members/`. */
    list: () => {
      const listed = [...members.keys()].flatMap((kennitala) => wireOf(kennitala) ?? []);
      return { members: listed, count: listed.length };
    },
    /** A wrong number is corrected: the row stays, its old number is deleted and the new one created. */
    correctNumber: (from: Kennitala, to: Kennitala): void => {
      const member = members.get(from);
      if (member === undefined) throw new Error('The model has no such member.');
      members.delete(from);
      version += 1;
      announce(from, 'delete', 'registry');
      version += 1;
      members.set(to, { ...member, version });
      announce(to, 'create', 'registry');
    },
    /** Every value that each field has ever had. */
    written,
    webhooks,
    outbox,
    edit: (kennitala: Kennitala, values: Readonly<Record<string, Json>>) =>
      write(kennitala, values, 'registry'),
    /** Tells of the member as they are, as after an import. */
    introduce: (kennitala: Kennitala, values: Readonly<Record<string, Json>>) =>
      write(kennitala, values, 'registry', false),
    wireOf,
    apply: (change: Change): ChangeAnswer => {
      const request = { ...change, edited_at: null };
      const known = companion ? remembered.get(change.change_id) : undefined;
      if (known !== undefined && isDeepStrictEqual(known.request, request)) return known.answer;
      if (known?.answer.status === 'success') return refuse('change_id_reused');
      const answer = applyOne(change);
      if (answer.status !== 'refused') remembered.set(change.change_id, { request, answer });
      return answer;
    },
  };
};

export type RegistryModel = ReturnType<typeof makeRegistryModel>;

const emptyValues = { 'profile.email': '', 'profile.facebook': '', 'profile.reachable': false };

const refuse = (code: string): ChangeAnswer => ({ status: 'refused', code, message: 'refused by the model' });
