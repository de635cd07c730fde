import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { receiptPage } from '../../../dashboard/src/texts/receipt-page.ts';
import type {
  ProofAnswer,
  RollAnswer,
  StatusAnswer,
  VerifyAnswer,
} from '../../../functions/src/ops/schemas.ts';
import { WELL } from '../../../functions/test/ops/support/status-answers.ts';
import { printableIn, toFileText } from '../../src/cli/text.ts';
import { startServer } from './http-server.ts';
import { runOps, tooWide } from './run-ops.ts';

const env = { OPS_TOKEN: 'token' };
const SHA = 'c'.repeat(64);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ops-proof-'));
});
afterAll(() => rm(folder, { recursive: true, maxRetries: 5 }));
const inFolder = (name: string): string => join(folder, name);

/** One command against a server that gives these answers, by `METHOD /path`. */
const ask = async (args: readonly string[], answers: Readonly<Record<string, unknown>>, typed?: string) => {
  const { url, asked } = await startServer(({ method, path }) => ({
    status: 200,
    body: answers[`${method} ${path}`] ?? 'nothing is asked there',
  }));
  return {
    asked,
    ...(await runOps([...args, '--url', url], { env, ...(typed !== undefined && { typed }) })),
  };
};

const equal = { state: 'equal', differences: 0, errorCode: null } as const;
const PROOF: ProofAnswer = {
  at: '2026-11-23T08:00:00.000Z',
  outcome: 'equal',
  because: null,
  provedAt: '2026-11-23T08:00:00.000Z',
  unprovedSince: null,
  members: 2_216,
  unreadable: 0,
  stores: { roster: equal, portal: equal, register: equal },
  errorCode: null,
};

describe('ops prove', () => {
  const ago = { provedAt: '2026-11-23T07:57:00.000Z', unprovedSince: '2026-11-23T07:59:00.000Z' };
  it.each<[string, Partial<ProofAnswer>, number, string]>([
    ['equal', {}, 0, 'Registry = Roster = Portal = Register: 2,216 members, proved 0 seconds ago.'],
    [
      'equal but for somebody unreadable, without a register',
      {
        unreadable: 1,
        stores: { ...PROOF.stores, register: { ...equal, state: 'absent', differences: null } },
      },
      0,
      'Registry = Roster = Portal: 2,216 members, proved 0 seconds ago. 1 cannot be read.',
    ],
    [
      'not equal, and why',
      {
        ...ago,
        outcome: 'differs',
        because: 'paused',
        stores: { ...PROOF.stores, portal: { state: 'differs', differences: 3, errorCode: null } },
      },
      1,
      'Proof: not equal. What differs is paused. Portal differs by 3. Last proved 3 minutes ago.',
    ],
    [
      'by so many that nobody counted',
      {
        ...ago,
        outcome: 'differs',
        stores: { ...PROOF.stores, roster: { state: 'differs', differences: null, errorCode: null } },
      },
      1,
      'Proof: not equal. Roster differs. Last proved 3 minutes ago.',
    ],
    [
      'a store that does not answer',
      {
        ...ago,
        outcome: 'unknown',
        stores: {
          ...PROOF.stores,
          register: { state: 'unknown', differences: null, errorCode: 'schema_outdated' },
        },
      },
      1,
      'Proof: not known. Register: schema_outdated. Last proved 3 minutes ago.',
    ],
    [
      'a registry that does not answer',
      { ...ago, outcome: 'unknown', members: null, errorCode: 'registry_timeout', provedAt: null },
      1,
      'Proof: not known. Registry: registry_timeout. Never proved.',
    ],
    [
      'no companion app',
      { ...ago, outcome: 'unprovable', because: 'no_companion_app', provedAt: null },
      1,
      'Proof: cannot be proved. The registry has no companion app; the nightly reading compares everybody. Never proved.',
    ],
  ])('%s', async (_what, facts, exitCode, said) => {
    const { code, stdout, asked } = await ask(['prove'], { 'POST /proof': { ...PROOF, ...facts } });
    expect(stdout).toBe(`${said}\n`);
    expect(code).toBe(exitCode);
    expect(asked).toHaveLength(1);
  });
});

describe('ops status', () => {
  const of = async (facts: Partial<StatusAnswer>): Promise<string> =>
    (await ask(['status'], { 'GET /status': { ...WELL, at: PROOF.at, ...facts } })).stdout;
  const walk = { at: '2026-11-23T07:40:00.000Z', whole: true, findings: 0, records: 912, versions: 34 };

  it('has a line for the proof and one for the record, also where there is none yet', async () => {
    const none = await of({});
    expect(none).toMatch(/^proof +No proof has been made yet\.$/m);
    expect(none).toMatch(/^record +The record has not been verified yet/m);
    const all = await of({ proof: PROOF, verified: walk });
    expect(all).toMatch(/^proof +Registry = Roster = Portal = Register: 2,216/m);
    expect(all).toMatch(/^record +Record verified 20 minutes ago, unbroken: 912 records, 34\s+lists\.$/m);
    expect(tooWide(all)).toEqual([]);
  });

  it('says that the record is broken, and what to do', async () => {
    const broken = { ...walk, whole: false, findings: 3 };
    const text = await of({
      verified: broken,
      healthy: false,
      findings: [
        {
          code: 'chain_broken',
          severity: 'error',
          mirror: null,
          since: walk.at,
          runId: null,
          errorCode: null,
          numbers: { count: 3 },
          command: 'verify',
        },
      ],
    });
    expect(text).toMatch(/^record +Record verified 20 minutes ago, broken: 3 findings/m);
    expect(text).toMatch(/- +record, chain broken \(3\), for 20 min: somebody changed/);
    expect(text).toMatch(/npm run ops -- verify/);
  });
});

const VERIFIED: VerifyAnswer = {
  whole: true,
  code: null,
  at: PROOF.at,
  records: 912,
  unchained: 4,
  erased: 2,
  streams: [
    {
      stream: 'roster',
      links: 40,
      first: { number: 3, after: SHA },
      head: { stream: 'roster', number: 42, hash: SHA, key: '0123456789abcdef', signature: 's' },
    },
    { stream: 'sweeps', links: 0, first: null, head: null },
  ],
  versions: { checked: 34, unchained: 1 },
  findings: [],
  findingsInAll: 0,
  publicKeys: [
    { id: '0123456789abcdef', pem: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n' },
  ],
};

describe('ops verify', () => {
  it('says that the record is whole, and writes the public keys as they are', async () => {
    const file = inFolder('chain.pem');
    const { code, stdout, asked } = await ask(['verify', '--public-key', file], {
      'POST /verify': VERIFIED,
    });
    expect(code).toBe(0);
    expect(asked).toHaveLength(1);
    expect(stdout).toContain('Whole at 2026-11-23 08:00.');
    expect(stdout).toMatch(/records +912, 4 older than the chain/);
    expect(stdout).toMatch(/lists +34 versions, 1 older than the chain/);
    expect(stdout).toMatch(/erased +2 entries, which is no finding/);
    expect(stdout).toMatch(/roster +40 +3 +42 c{16}… key\s+0123456789abcdef/);
    expect(stdout).toMatch(/sweeps +0 +- +-/);
    expect(tooWide(stdout)).toEqual([]);
    expect(await readFile(file, 'utf8')).toBe(VERIFIED.publicKeys[0]?.pem);
  });

  it('names each finding, and ends with 1', async () => {
    const findings: VerifyAnswer['findings'] = [
      {
        kind: 'missing',
        where: 'sync_audit/run-1',
        link: { stream: 'roster', number: 7 },
        why: 'link 7 is gone',
      },
      { kind: 'altered', where: 'version 17', link: null, why: '\u001b[2Jits bytes are others' },
    ];
    const broken = { ...VERIFIED, whole: false, code: 'chain_broken' as const, findings, findingsInAll: 900 };
    const { code, stdout } = await ask(['verify'], { 'POST /verify': broken });
    expect(code).toBe(1);
    expect(stdout).toContain('chain_broken: 900 findings');
    expect(stdout).toMatch(/missing +sync_audit\/run-1 \(roster 7\)/);
    expect(stdout).toMatch(/altered +version 17/);
    expect(stdout).toContain('docs/runbook.md#chain_broken');
    expect(stdout).not.toContain('\u001b');
  });

  it('writes no keys where there was no answer', async () => {
    const file = inFolder('none.pem');
    const { code, stderr } = await ask(['verify', '--public-key', file], {});
    expect(code).toBe(1);
    expect(stderr).toContain('not of the agreed form');
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });
});

const ROLL: RollAnswer = {
  receipt: {
    format: 'membership-roll/1',
    at: '2026-11-01T12:00:00.000Z',
    count: 2,
    sha256: SHA,
    list: { generation: '17', publishedAt: '2026-10-26T03:00:01.000Z', replacedAt: null },
    run: { runId: 'run-17', planId: null, approvedBy: 'Jóna <b>', rollbackOf: null },
    registry: { equalAt: '2026-11-01T10:00:00.000Z', ageSeconds: 7_200, notDone: 1 },
    chain: { stream: 'roster', number: 42, hash: SHA, key: '0123456789abcdef', signature: 's' },
    issuedAt: PROOF.at,
    key: '0123456789abcdef',
    signature: 'signed',
  },
  frozen: null,
  list: null,
  publicKeys: [],
};
const LIST = '0101302989\n0101303019\n';

describe('ops roll', () => {
  it('shows the receipt, and asks for no list that nobody wants', async () => {
    const { code, stdout, asked } = await ask(['roll', '--at', '2026-11-01T12:00'], {
      'POST /roll': ROLL,
    });
    expect(code).toBe(0);
    expect(asked[0]?.body).toEqual({ at: '2026-11-01T12:00', list: false });
    expect(stdout).toMatch(/In force at +2026-11-01T12:00:00.000Z/);
    expect(stdout).toMatch(/Members +2$/m);
    expect(stdout).toMatch(/Last known to equal the registry +2026-11-01T10:00:00.000Z \(2.0 hours/);
    expect(stdout).toMatch(/Runs between that changed nothing +1/);
  });

  it('writes the list byte for byte, the receipt and the page, each for its owner alone', async () => {
    const files = ['roll.txt', 'receipt.json', 'receipt.html'].map(inFolder);
    const [out = '', receipt = '', print = ''] = files;
    const { code, stdout } = await ask(
      [
        'roll',
        '--at',
        '2026-11-01T12:00',
        '--out',
        out,
        '--receipt',
        receipt,
        '--print',
        print,
        '--lang',
        'en',
      ],
      { 'POST /roll': { ...ROLL, list: LIST } },
    );
    expect(code).toBe(0);
    expect(stdout).not.toContain('0101302989');
    expect(await readFile(out, 'utf8')).toBe(LIST);
    expect(JSON.parse(await readFile(receipt, 'utf8'))).toEqual(ROLL.receipt);
    expect(await readFile(print, 'utf8')).toContain('<html lang="en">');
    for (const file of files) expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('keeps line breaks of what comes from outside, and nothing else that a terminal obeys', () => {
    const sent = 'one\ntwo\u001b[2J\n';
    expect(toFileText(printableIn(sent))).toBe('one\ntwo\\u001b[2J\n');
  });

  it.each([
    ['is', 'Kvittun fyrir félagatal', 'Félagar'],
    ['en', 'Receipt of a roll', 'Members'],
  ] as const)(
    'prints a page in %s that loads nothing, and in which nothing is markup',
    (language, title, members) => {
      const frozen = {
        name: 'board-2026',
        until: '2027-03-01T23:59:59.999Z',
        by: 'uid',
        reason: '<script>alert(1)</script> & "x"',
        frozenAt: PROOF.at,
        receipt: ROLL.receipt,
      };
      const page = receiptPage({ ...ROLL, frozen }, language);
      expect(page).toContain(`<title>${title}</title>`);
      expect(page).toContain(`<th scope="row">${members}</th><td>2</td>`);
      expect(page).toContain('Jóna &lt;b&gt;');
      expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;x&quot;');
      expect(page).not.toMatch(/<script|src=|href=|url\(/);
    },
  );

  it('compares two moments, and says who came and who went', async () => {
    const { code, stdout, asked } = await ask(['roll', '--compare', '2026-10-01T12:00', '2026-11-01T12:00'], {
      'POST /roll/compare': {
        from: ROLL.receipt,
        to: ROLL.receipt,
        added: ['0101303019'],
        removed: [],
      },
    });
    expect(code).toBe(0);
    expect(asked[0]?.body).toEqual({ from: '2026-10-01T12:00', to: '2026-11-01T12:00' });
    expect(stdout).toMatch(/came +1\n/);
    expect(stdout).toContain('+ 0101303019');
  });

  it('freezes after a question that says how many, and not without a yes', async () => {
    const freeze = [
      'roll',
      '--freeze',
      'board-2026',
      '--at',
      '2026-11-01T12:00',
      '--until',
      '2027-03-01',
      '--reason',
      'why',
    ];
    const frozen = {
      name: 'board-2026',
      until: '2027-03-01T23:59:59.999Z',
      by: 'uid',
      reason: 'why',
      frozenAt: PROOF.at,
      receipt: ROLL.receipt,
    };
    const answers = { 'POST /roll': ROLL, 'POST /rolls': frozen };
    const refused = await ask(freeze, answers, 'n');
    expect([refused.code, refused.asked.length]).toEqual([1, 1]);
    expect(refused.stderr).toMatch(/roll of 2 members/);
    const { code, stdout, asked } = await ask(freeze, answers, 'y');
    expect([code, asked.length]).toEqual([0, 2]);
    expect(asked[1]?.body).toEqual({
      name: 'board-2026',
      at: '2026-11-01T12:00',
      until: '2027-03-01',
      reason: 'why',
    });
    expect(stdout).toBe('Frozen as board-2026 until 2027-03-01 23:59.\n');
    const { stdout: list } = await ask(['roll', '--frozen'], { 'GET /rolls': { rolls: [frozen] } });
    expect(list).toMatch(/board-2026 +2026-11-01 12:00 +2 +2027-03-01 23:59 +why/);
    expect(tooWide(list)).toEqual([]);
  });

  it.each([
    ['neither a moment nor a name', ['roll']],
    ['a moment and a name', ['roll', '--at', '2026-11-01T12:00', '--name', 'board-2026']],
    ['one moment to compare', ['roll', '--compare', '2026-11-01T12:00']],
    ['three moments to compare', ['roll', '--compare', '1', '2', '3']],
    ['a freeze without a day', ['roll', '--freeze', 'board', '--at', '2026-11-01T12:00', '--reason', 'why']],
    ['a language that is none', ['roll', '--at', '2026-11-01T12:00', '--lang', 'da']],
  ])('asks nothing for %s', async (_what, args) => {
    const { code, asked, stderr } = await ask(args, {});
    expect(code).not.toBe(0);
    expect(asked).toEqual([]);
    expect(stderr).not.toBe('');
  });
});
