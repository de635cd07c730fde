import type { Kennitala } from '../domain/kennitala.ts';
import { type ParsedMember, parseRegistryMember } from '../domain/member/parse-registry-member.ts';
import { isWire, whoIs } from '../domain/member/wire.ts';
import { isFromOtherTables, ofTheList, parseAnswerAbout } from '../portal/apply-event.ts';
import type { CallLimits, MemberPages, MemberReader } from '../registry/ports.ts';

/** What the registry holds of one member, by whichever call says it. Every call throws the `registry_*` codes. */
export interface RegistryMembers {
  /** The member as the registry has them now; null when it has none. Throws `member_invalid` too. */
  read(kennitala: Kennitala, options: CallLimits): Promise<ParsedMember | null>;
  /** The number that a row of the registry has now; null when the list has no such row. */
  numberOf(djangoId: number, options: CallLimits): Promise<Kennitala | null>;
  /** Whether its members carry versions, which only the companion app gives them. An empty registry has none. */
  isVersioned(options: CallLimits): Promise<boolean>;
}

export interface RegistryMembersPorts {
  readonly reader: MemberReader;
  readonly pages: MemberPages;
}

/**
 * A registry without the companion app answers about one member from other tables than its list: older e-mails and
 * addresses, and neither id nor version. What is sent to it goes into the tables of the list, so only the list can prove
 * that it was written. All who ask while the list is being read share its next reading.
 */
export const makeRegistryMembers = ({ reader, pages }: RegistryMembersPorts): RegistryMembers => {
  const find = makeListLookup(pages);
  return {
    read: async (kennitala, { signal }) => {
      const json = await reader.readMember(kennitala, { signal });
      if (json === null) return null;
      const said = parseAnswerAbout(kennitala, json);
      if (!isFromOtherTables(said)) return said;
      const listed = await find(`ssn ${kennitala}`, signal);
      if (listed !== null) return parseAnswerAbout(kennitala, listed);
      return { ...said, content: ofTheList(said.content) };
    },
    numberOf: async (djangoId, { signal }) => {
      const listed = await find(`id ${djangoId}`, signal);
      return listed === null ? null : parseRegistryMember(listed).kennitala;
    },
    isVersioned: async ({ signal }) => {
      for await (const { members } of pages.pages({ signal, pageSize: 1 })) {
        const [first] = members;
        return isWire(first) && typeof first['version'] === 'number';
      }
      return false;
    },
  };
};

interface Asked {
  readonly key: string;
  readonly signal: AbortSignal;
  readonly found: (member: unknown) => void;
  readonly failed: (cause: unknown) => void;
}

/** One reading of the list at a time. Who comes while it is under way waits for the next: this one may be too old. */
const makeListLookup = (pages: MemberPages) => {
  let waiting: Asked[] = [];
  let isReading = false;
  const readOn = async (): Promise<void> => {
    isReading = true;
    while (waiting.length > 0) {
      const asked = waiting;
      waiting = [];
      await lookUp(pages, asked);
    }
    isReading = false;
  };
  return (key: string, signal: AbortSignal): Promise<unknown> =>
    new Promise((found, failed) => {
      waiting.push({ key, signal, found, failed });
      if (!isReading) void readOn();
    });
};

/** Never throws: each who asked is answered, or told why not. */
const lookUp = async (pages: MemberPages, asked: readonly Asked[]): Promise<void> => {
  const open = new Map<string, Asked[]>();
  for (const one of asked) open.set(one.key, [...(open.get(one.key) ?? []), one]);
  try {
    const signal = AbortSignal.any(asked.map((one) => one.signal));
    for await (const { members } of pages.pages({ signal })) {
      for (const member of members) {
        for (const key of keysOf(member)) {
          for (const { found } of open.get(key) ?? []) found(member);
          open.delete(key);
        }
      }
      if (open.size === 0) return;
    }
    for (const { found } of [...open.values()].flat()) found(null);
  } catch (cause) {
    for (const { failed } of [...open.values()].flat()) failed(cause);
  }
};

const keysOf = (member: unknown): string[] => {
  const { kennitala, djangoId } = whoIs(member);
  return [`ssn ${kennitala}`, `id ${djangoId}`];
};

/**
 * Whether the registry has the companion app, as far as its answers have shown. Only with it does the registry compare
 * the expected value and remember change ids; until that is known, and where it is not so, every member is read before
 * a change is sent.
 */
export interface ApplyProtocol {
  readonly comparesExpected: () => boolean;
  /** An answer with a version comes from the companion app, a success without one does not. */
  readonly learn: (comparesExpected: boolean) => void;
}

export const makeApplyProtocol = (): ApplyProtocol => {
  let known = false;
  return {
    comparesExpected: () => known,
    learn: (comparesExpected) => {
      known = comparesExpected;
    },
  };
};
