import type { MemberPages } from '../../../src/registry/ports.ts';

/** Given members as the registry's answer, in pages of ten. */
export const makePages = (members: readonly unknown[]): MemberPages => ({
  pages: async function* () {
    for (let from = 0; from < members.length; from += 10) {
      yield { members: members.slice(from, from + 10), count: members.length };
    }
  },
});
