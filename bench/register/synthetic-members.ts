/** A member as the registry's page has it. Every number is made up: the serial part counts below 200, where nobody's is. */
export const makeWireMembers = (count: number): Record<string, unknown>[] =>
  Array.from({ length: count }, (_, n) => {
    const day = String((n % 28) + 1).padStart(2, '0');
    const month = String((Math.floor(n / 28) % 12) + 1).padStart(2, '0');
    const year = String(Math.floor(n / 336) % 100).padStart(2, '0');
    const serial = String(Math.floor(n / 33_600) % 200).padStart(3, '0');
    return {
      id: n + 1,
      kennitala: `${day}${month}${year}${serial}9`,
      name: `Jón Þór Jónsson númer ${n}`,
      email: `felagi.${n}@postur.example`,
      phone: '5551234',
      date_joined: '2020-01-15T10:30:00Z',
      version: 1,
    };
  });

/** The same members after one in a hundred got another e-mail address. */
export const changeOneInHundred = (members: readonly Record<string, unknown>[], round: number) =>
  members.map((member, n) =>
    n % 100 === 0 ? { ...member, email: `nytt.${round}.${n}@postur.example`, version: 1 + round } : member,
  );
