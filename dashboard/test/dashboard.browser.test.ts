import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { untilThere } from '../../local/src/scenarios/tour.ts';
import type { Language } from '../src/texts/format.ts';
import { violationsOf } from './accessibility.ts';
import { type Operator, openBrowser } from './browser.ts';
import {
  changeUnheard,
  emailInRegistry,
  leaveHint,
  makeAhead,
  makeConflict,
  makeWaitingEdit,
} from './edits.ts';
import { type Everything, startEverything } from './start-everything.ts';
import { codesOf, textsOf } from './texts.ts';

const MEMBERS = 120;
const DROPPED = 40;
const IMAGES = join(import.meta.dirname, '../../docs/images');
const LANGUAGES: readonly Language[] = ['en', 'is'];

describe.each(LANGUAGES)('an operator at the dashboard, in %s', (language) => {
  const t = textsOf(language);
  const code = codesOf(language);
  let all: Everything;
  let operator: Operator;
  let everybody: string[] = [];

  beforeAll(async () => {
    await mkdir(IMAGES, { recursive: true });
    all = await startEverything(MEMBERS);
    operator = await openBrowser(language);
    await operator.page.goto(all.url);
    await see(t('developmentNotice'));
  });
  afterAll(async () => {
    await operator?.close();
    await all?.close();
  });
  afterEach(async () => {
    expect(operator.complaints).toEqual([]);
    expect(await violationsOf(operator.page)).toEqual([]);
  });

  const published = async (): Promise<string[]> =>
    (await readFile(join(all.stack.bucketFolder, 'kennitalas.txt'), 'utf8')).split('\n').slice(0, -1);
  const open = async (path: string, heading: string) => {
    await operator.page.goto(`${all.url}/#/${path}`);
    await operator.page.getByRole('heading', { level: 1, name: heading }).waitFor();
  };
  const press = (name: string) => operator.page.getByRole('button', { name, exact: true }).click();
  const fill = (label: string, value: string) => operator.page.getByLabel(label, { exact: true }).fill(value);
  const see = (text: string | RegExp) => operator.page.getByText(text).first().waitFor();
  const seeState = (text: string) =>
    operator.page.getByRole('definition').getByText(text, { exact: true }).waitFor();
  const seeDone = async () => {
    const refused = operator.page.getByRole('alert');
    await operator.page
      .getByRole('link', { name: t('doneLink') })
      .or(refused)
      .first()
      .waitFor();
    // The page's own words say more than that it took too long.
    expect(await refused.allInnerTexts()).toEqual([]);
  };
  /** A scheduled run, as Cloud Scheduler would set it off. */
  const runList = async (name = 'syncMemberList') => {
    const served = all.stack.functions.functions.find((one) => one.name === name);
    await fetch(served?.url ?? '', { method: 'POST' });
  };
  const openRefused = async () => {
    await open('runs', t('runs'));
    await operator.page
      .getByRole('row')
      .filter({ hasText: code('outcome', 'blocked') })
      .first()
      .getByRole('link')
      .click();
    await operator.page.getByRole('heading', { name: t('itIsRight') }).waitFor();
  };
  /** The run that was approved, found as anybody would. */
  const openDecided = async () => {
    await open('runs', t('runs'));
    await operator.page
      .getByRole('link', { name: t('titleApproved', { mirror: t('roster') }) })
      .first()
      .click();
    await see(t('undo'));
  };
  const giveReason = async (reason: string) => {
    const dialog = operator.page.getByRole('dialog');
    await dialog.getByLabel(t('reason')).fill(reason);
    await dialog.locator('button[type=submit]').click();
    await dialog.waitFor({ state: 'detached' });
  };
  const choose = async (label: string, option: string) => {
    await operator.page.getByRole('combobox', { name: label }).click();
    await operator.page.getByRole('option', { name: option, exact: true }).click();
    await operator.page.getByRole('listbox').waitFor({ state: 'detached' });
  };
  const screenshot = async (name: string) => {
    await operator.page.evaluate(() => scrollTo(0, 0));
    await operator.page.screenshot({ path: join(IMAGES, `dashboard-${name}-${language}.png`) });
  };

  it('serves the page with the headers of Hosting, and to this machine only', async () => {
    const answer = await fetch(all.url);
    expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'.*script-src 'self'/);
    const foreign = await fetch(all.url, { headers: { origin: 'https://example.is' } });
    expect(foreign.status).toBe(403);
  });

  it('signs in with the labelled development sign-in', async () => {
    await operator.page.getByRole('heading', { name: t('developmentSignIn') }).waitFor();
    expect(await operator.page.locator('html').getAttribute('lang')).toBe(language);
    await press(t('signIn'));
    await see(`${t('roster')}: ${code('finding', 'never_run')}`);
  });

  it('plans the first run of each mirror, and runs it', async () => {
    for (const mirror of ['roster', 'portal', 'register'] as const) {
      await open(`plan/${mirror}`, t('planOf', { mirror: t(mirror) }));
      await press(t('plan'));
      await see(t('fromTo', { before: '0', after: String(MEMBERS) }));
      await press(t('runNow'));
      await seeDone();
    }
    everybody = await published();
    expect(everybody).toHaveLength(MEMBERS);
    // The portal's first members have asked for the list anew: its run must not come between those of the next tests.
    await all.stack.functions.drain();
  });

  it('says of a plan without differences that there is nothing to do', async () => {
    await open('plan/roster', t('planOf', { mirror: t('roster') }));
    await press(t('plan'));
    await see(t('noDifferenceText'));
    expect(await operator.page.getByRole('button', { name: t('runNow') }).count()).toBe(0);
  });

  it('sees that all is well, that every mirror is as the registry, and the timeline', async () => {
    await runList();
    await open('', t('overview'));
    await see(t('allWell'));
    await see(t('allAgree', { count: String(MEMBERS) }));
    expect(await operator.page.locator('.flow-mirror').getByText(t('equal'), { exact: true }).count()).toBe(
      3,
    );
    await operator.page.locator('.chart canvas').first().waitFor();
    await operator.page.getByText(`${t('asTable')}: ${t('rosterOverTime')}`).click();
    await operator.page
      .getByRole('row')
      .filter({ hasText: String(MEMBERS) })
      .first()
      .waitFor();
  });

  it('walks a refused list: it is wrong, so it is paused, mended and planned anew', async () => {
    all.stack.registry?.addFault({ drop: DROPPED });
    await runList();
    await open('', t('overview'));
    await see(`${t('roster')}: ${code('finding', 'last_run_blocked')}`);
    expect(await operator.page.getByText(t('allWell')).count()).toBe(0);
    await screenshot('overview');
    await operator.page.getByRole('link', { name: t('lookAndDecide') }).click();
    await see(t('itIsWrong'));
    await see(code('guard', 'removed_share'));
    await press(t('pause'));
    await giveReason('the registry has lost members');
    await see(t('isPausedNow'));
    await operator.page.getByRole('link', { name: t('planAgain') }).click();
    await see(t('isPausedHere'));
    await press(t('plan'));
    await see(t('guardRefuses'));
    all.stack.registry?.clearFaults();
    await press(t('planAgain'));
    await see(t('noDifferenceText'));
    expect(await published()).toEqual(everybody);
    await open('', t('overview'));
    await operator.page
      .getByRole('listitem')
      .filter({ hasText: code('finding', 'paused') })
      .getByRole('button', { name: t('resume') })
      .click();
    await giveReason('mended');
    await operator.page.locator('.flow-note').waitFor({ state: 'detached' });
  });

  it('walks a refused list: it is right, so it is looked at, confirmed by its number and approved', async () => {
    all.stack.registry?.addFault({ drop: DROPPED });
    await runList();
    await openRefused();
    await press(t('lookAtGroups'));
    await operator.page.getByRole('region', { name: t('removed') }).waitFor();
    // Until then the button says that it works.
    await operator.page.getByRole('button', { name: t('showNames') }).waitFor();
    await screenshot('refused');
    await press(t('showNames'));
    const table = operator.page.getByRole('table');
    await table
      .getByRole('cell', { name: t('removed'), exact: true })
      .first()
      .waitFor();
    const shown = await table.locator('tbody tr').allInnerTexts();
    expect(shown).toHaveLength(DROPPED);
    const someone = everybody.find((kennitala) => shown[0]?.includes(kennitala)) ?? '';
    await fill(t('search'), someone);
    await table.locator('tbody tr').nth(1).waitFor({ state: 'detached' });
    expect(await table.locator('tbody tr').count()).toBe(1);

    await fill(t('operator'), 'Test Operator');
    await fill(t('reason'), 'left the party');
    await fill(t('typeRemoved'), String(DROPPED - 1));
    await see(t('typeRemovedWrong'));
    const approve = t('approveRemoving', { count: String(DROPPED) });
    expect(await operator.page.getByRole('button', { name: approve }).isDisabled()).toBe(true);
    expect(await published()).toEqual(everybody);
    await fill(t('typeRemoved'), String(DROPPED));
    await press(approve);
    await seeDone();
    expect(await published()).toHaveLength(MEMBERS - DROPPED);
    // The run that was refused says who approved it, and offers nothing to decide any more.
    await see(code('relation', 'approved'));
    await operator.page.getByRole('heading', { name: t('itIsRight') }).waitFor({ state: 'detached' });
  });

  it('copies the list, and saves it for a spreadsheet', async () => {
    await openDecided();
    await press(t('lookAtGroups'));
    await press(t('showNames'));
    await operator.page
      .getByRole('table')
      .getByRole('cell', { name: t('removed'), exact: true })
      .first()
      .waitFor();
    const saving = operator.page.waitForEvent('download');
    await press('CSV');
    const saved = await saving;
    expect(saved.suggestedFilename()).toMatch(/^run-[\w-]+\.csv$/);
    const text = await readFile(await saved.path(), 'utf8');
    // The mark at the start tells spreadsheets that it is UTF-8.
    expect(text.startsWith('\ufeff')).toBe(true);
    const [head, ...rows] = text.slice(1).split('\r\n');
    expect(head?.split(';')).toEqual(
      [t('change'), t('kennitala'), t('name'), t('postalCode'), t('dateJoined')].map((name) => `"${name}"`),
    );
    const left = new Set(await published());
    const gone = everybody.filter((kennitala) => !left.has(kennitala));
    expect(rows.map((row) => /\d{10}/.exec(row)?.[0]).toSorted()).toEqual(gone.toSorted());
    expect(rows.every((row) => row.startsWith(`"${t('removed')}";`))).toBe(true);

    await operator.page.getByRole('button', { name: t('copy') }).click();
    await operator.page.getByRole('button', { name: t('copied') }).waitFor();
    const copied = await operator.page.evaluate(() => navigator.clipboard.readText());
    expect(copied.split(/\r?\n/)).toEqual([head, ...rows]);
  });

  it('shows that run as approved, not as refused, and what it had been', async () => {
    await openDecided();
    await see(t('whoTyped', { who: '', name: 'Test Operator' }));
    await see(t('hadRefused', { removed: String(DROPPED), before: String(MEMBERS) }));
    await see(t('undo'));
    expect(await operator.page.getByText(t('guardRefuses')).count()).toBe(0);
    await see(code('relation', 'refused'));
  });

  it('is not told that all is well while a mirror differs from the registry', async () => {
    all.stack.registry?.clearFaults();
    await runList('membershipSyncHourly');
    await open('', t('overview'));
    await see(`${t('roster')}: ${code('finding', 'counts_differ')}`);
    await see(t('countsAre', { members: String(MEMBERS - DROPPED), registry: String(MEMBERS) }));
    expect(await operator.page.getByText(t('allWell')).count()).toBe(0);
  });

  it('explains why one of them is missing, and keeps the number out of the address', async () => {
    const left = new Set(await published());
    const missing = everybody.find((kennitala) => !left.has(kennitala)) ?? '';
    await open('explain', t('explain'));
    await fill(t('kennitala'), missing);
    await press(t('explainDo'));
    await see(code('now', 'not-listed'));
    await see(code('because', 'not_in_last_export'));
    await operator.page.getByRole('heading', { name: t('timeline') }).waitFor();
    await see(`${code('source', 'run')}: ${code('what', 'removed')}`);
    await screenshot('explain');
    expect(operator.page.url()).not.toContain(missing);
  });

  it('rolls the list back after a preview, which pauses the roster', async () => {
    await open('rollback', t('rollbackTitle'));
    await operator.page
      .getByRole('row')
      .filter({ hasText: String(MEMBERS) })
      .first()
      .getByRole('button')
      .click();
    await operator.page
      .getByRole('button', { name: new RegExp(`^${t('previewOf').split(':')[0]}:`) })
      .click();
    await see(t('planReady'));
    expect(await published()).toHaveLength(MEMBERS - DROPPED);
    await press(t('doRollback'));
    await giveReason('wrong approval');
    await seeDone();
    expect(await published()).toEqual(everybody);
    await open('', t('overview'));
    await see(/wrong approval/);
  });

  it('resumes, and pauses another mirror by hand', async () => {
    all.stack.registry?.clearFaults();
    const act = async (mirror: 'roster' | 'portal', verb: 'pause' | 'resume', reason: string) => {
      await operator.page
        .locator('.flow-mirror')
        .filter({ hasText: t(mirror) })
        .getByRole('button', { name: t(verb), exact: true })
        .click();
      await operator.page.getByRole('dialog', { name: t(`${verb}Of`, { mirror: t(mirror) }) }).waitFor();
      await giveReason(reason);
    };
    await act('roster', 'resume', 'mended');
    await operator.page.getByText(/wrong approval/).waitFor({ state: 'detached' });
    await act('portal', 'pause', 'the registry is moved');
    await see(/the registry is moved/);
    await act('portal', 'resume', 'moved');
    await operator.page.getByText(/the registry is moved/).waitFor({ state: 'detached' });
  });

  it('gives up an edit that waits, and asks for another try', async () => {
    const edit = await makeWaitingEdit(all, `edit.${language}`);
    await open('queue', t('queue'));
    await choose(t('state'), code('queue', 'pending'));
    await operator.page
      .getByRole('row')
      .filter({ hasText: code('queue', 'pending') })
      .getByRole('link')
      .click();
    await see(edit.email);
    const act = async (verb: 'retry' | 'giveUp') => {
      await press(t(verb));
      await giveReason('looked at');
    };
    await act('giveUp');
    await seeState(code('queue', 'failed'));
    expect(await all.portal.emailOf(edit.kennitala)).toBe(edit.before);
    all.stack.registry?.clearFaults();
    await act('retry');
    await see(code('retry', 'delivered'));
    expect(emailInRegistry(all, edit.memberId)).toBe(edit.email);
  });

  it('decides conflicts for the member, for the registry and for another value, and says who decided what', async () => {
    const decide = async (keep: 'keepPortal' | 'keepRegistry' | 'keepOther', name: string) => {
      const conflict = await makeConflict(all, `${name}.${language}`);
      await operator.page.goto(`${all.url}/#/conflicts`);
      await operator.page
        .getByRole('row')
        .filter({ hasText: code('field', 'profile.email') })
        .getByRole('link')
        .click();
      await see(conflict.portal);
      await see(conflict.registry);
      if (name === 'member') await screenshot('conflict');
      await operator.page.getByRole('radio', { name: t(keep), exact: true }).check();
      const other = `other.${language}@postur.example`;
      if (keep === 'keepOther') await operator.page.getByLabel(t('wanted'), { exact: true }).fill(other);
      await press(t('decide'));
      await see(t(keep === 'keepRegistry' ? 'decidedHere' : 'decidedSent'));
      await see(t('decidedBy', { by: 'development-operator', time: '' }).trim());
      const expected = { keepPortal: conflict.portal, keepRegistry: conflict.registry, keepOther: other }[
        keep
      ];
      const arrived = await untilThere(async () =>
        emailInRegistry(all, conflict.memberId) === expected ? true : null,
      );
      expect(arrived).not.toBeNull();
    };
    await decide('keepPortal', 'member');
    await decide('keepRegistry', 'registry');
    await decide('keepOther', 'other');
  });

  it('sends edits that wait, without waiting for the night', async () => {
    const edit = await makeWaitingEdit(all, `sweep.${language}`);
    all.stack.registry?.clearFaults();
    await open('queue', t('queue'));
    await choose(t('sweepWhat'), t('sweepWaiting'));
    await press(t('sweepDo'));
    // It takes over what the registry's queue holds as well: as much as the steps before have left there.
    const [before = ''] = t('sweepDone', { sent: '1', failed: '0', taken: '…' }).split('…');
    await see(before);
    expect(emailInRegistry(all, edit.memberId)).toBe(edit.email);
  });

  it('brings one member in line with the registry, after a look at what differs', async () => {
    const member = changeUnheard(all, `inline.${language}`);
    await open('explain', t('explain'));
    await fill(t('kennitala'), member.kennitala);
    await press(t('explainDo'));
    await press(t('oneMemberLook'));
    await see(code('decision', 'would-apply'));
    await operator.page.getByRole('cell', { name: member.email, exact: true }).waitFor();
    expect(await all.portal.emailOf(member.kennitala)).not.toBe(member.email);
    await press(t('oneMemberDo'));
    await see(code('decision', 'applied'));
    expect(await all.portal.emailOf(member.kennitala)).toBe(member.email);
    all.stack.registry?.webhooks?.resume();
  });

  it('takes the registry’s word about one member, and then about all who are ahead of it', async () => {
    const [one, other] = [await makeAhead(all, `one.${language}`), await makeAhead(all, `other.${language}`)];
    await open('explain', t('explain'));
    await fill(t('kennitala'), one.kennitala);
    await press(t('explainDo'));
    await press(t('oneMemberLook'));
    await see(code('decision', 'stale'));
    await press(t('registryWord'));
    await giveReason('restored');
    await seeDone();
    expect(await all.portal.emailOf(one.kennitala)).toBe(one.email);

    await runList('reconcileMembers');
    await open('', t('overview'));
    await see(t('aheadOfRegistry', { count: '1' }));
    await operator.page.getByRole('link', { name: t('registryWord') }).click();
    await press(t('plan'));
    await see(t('planReady'));
    expect(await all.portal.emailOf(other.kennitala)).not.toBe(other.email);
    await press(t('registryWord'));
    await giveReason('restored');
    await seeDone();
    expect(await all.portal.emailOf(other.kennitala)).toBe(other.email);
    all.stack.registry?.webhooks?.resume();
  });

  it('counts the hints that the registry never confirmed', async () => {
    await leaveHint(all);
    await open('', t('overview'));
    await see(t('hintsUnconfirmed', { count: '1' }));
    await see(`${t('portal')}: ${code('finding', 'hints_unconfirmed')}`);
    await runList('reconcileMembers');
    await operator.page.reload();
    await operator.page.locator('.flow-mirror').first().waitFor();
    expect(await operator.page.getByText(t('hintsUnconfirmed', { count: '1' })).count()).toBe(0);
  });

  it('keeps everybody’s number out of what an operator writes, before it is sent', async () => {
    await open('', t('overview'));
    await operator.page
      .locator('.flow-mirror')
      .filter({ hasText: t('portal') })
      .getByRole('button', { name: t('pause'), exact: true })
      .click();
    const dialog = operator.page.getByRole('dialog');
    const submit = dialog.locator('button[type=submit]');
    await dialog.getByLabel(t('reason')).fill(`asked by ${everybody[0]}`);
    await dialog.getByText(t('noNumber')).waitFor();
    expect(await submit.isDisabled()).toBe(true);
    expect(await violationsOf(operator.page)).toEqual([]);
    await dialog.getByLabel(t('reason')).fill('asked by the office');
    expect(await submit.isDisabled()).toBe(false);
    await dialog.getByRole('button', { name: t('cancel') }).click();
    await dialog.waitFor({ state: 'detached' });
  });

  it('is accessible with a menu open, and with a list of choices open', async () => {
    await open('', t('overview'));
    await operator.page.getByRole('button', { name: t('moreOf', { mirror: t('portal') }) }).click();
    await operator.page.getByRole('menuitem', { name: t('registryWord') }).waitFor();
    expect(await violationsOf(operator.page)).toEqual([]);
    await operator.page.keyboard.press('Escape');
    await open('queue', t('queue'));
    await operator.page.getByRole('combobox', { name: t('state') }).click();
    await operator.page.getByRole('listbox').waitFor();
    expect(await violationsOf(operator.page)).toEqual([]);
    await operator.page.keyboard.press('Escape');
    await operator.page.getByRole('listbox').waitFor({ state: 'detached' });
  });

  it('says what is wrong with a number before it asks, and in this language', async () => {
    await open('explain', t('explain'));
    for (const [typed, fault] of [
      ['123', 'digits'],
      ['3213302989', 'date'],
      ['0101302985', 'century'],
    ] as const) {
      await fill(t('kennitala'), typed);
      await press(t('explainDo'));
      await see(code('fault', fault));
    }
  });

  it.each(['light', 'dark'] as const)(
    'shows every page on a phone without anything cut off, in the %s',
    async (colorScheme) => {
      await operator.page.setViewportSize({ width: 360, height: 740 });
      await operator.page.emulateMedia({ colorScheme });
      const overflow = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
      const pages = [
        ['', t('overview')],
        ['runs', t('runs')],
        ['plan/roster', t('planOf', { mirror: t('roster') })],
        ['registry-word', t('registryWord')],
        ['rollback', t('rollbackTitle')],
        ['queue', t('queue')],
        ['conflicts', t('conflicts')],
        ['explain', t('explain')],
      ] as const;
      for (const [path, heading] of pages) {
        await open(path, heading);
        await operator.page.waitForFunction(() => document.querySelector('.skeleton') === null);
        expect([path, await operator.page.evaluate(overflow)]).toEqual([path, 0]);
        expect([path, await violationsOf(operator.page)]).toEqual([path, []]);
      }
      for (const path of ['runs', 'queue', 'conflicts']) {
        await open(path, t(path as 'runs'));
        if (path === 'conflicts') await choose(t('state'), code('conflict', 'resolved'));
        await operator.page.locator('tbody tr').getByRole('link').first().click();
        await operator.page.getByText(t('details')).waitFor();
        expect([path, await operator.page.evaluate(overflow)]).toEqual([path, 0]);
        expect([path, await violationsOf(operator.page)]).toEqual([path, []]);
      }
      await open('', t('overview'));
      await operator.page.locator('.flow-mirror').first().waitFor();
      if (language === 'en' && colorScheme === 'dark') await screenshot('phone');
    },
  );

  it('draws the steps of a run while it works, moving only for who has not asked for less', async () => {
    // The registry answers late, so that the page can be looked at meanwhile.
    all.stack.registry?.addFault({ path: '/api/members/kennitalas/', delay_ms: 15_000 });
    const run = runList();
    await open('', t('overview'));
    const steps = operator.page.getByRole('list', { name: t('runningNow') });
    await steps.waitFor();
    expect(await steps.getByRole('listitem').allInnerTexts()).toHaveLength(7);
    expect(await steps.locator('[aria-current=step]').innerText()).toBe(t('fetch'));
    const moving = () => document.getAnimations().filter((one) => one.playState === 'running').length;
    expect(await operator.page.evaluate(moving)).toBeGreaterThan(0);
    await operator.page.emulateMedia({ reducedMotion: 'reduce' });
    expect(await operator.page.evaluate(moving)).toBe(0);
    await operator.page.emulateMedia({ reducedMotion: 'no-preference' });
    all.stack.registry?.clearFaults();
    await run;
    // Nobody has to reload the page to see its end.
    await steps.waitFor({ state: 'detached' });
  });

  it('verifies the record, and says so on the overview', async () => {
    await open('record', t('recordTitle'));
    await press(t('verifyDo'));
    await see(t('recordWhole'));
    const saved = operator.page.waitForEvent('download');
    await press(t('publicKey'));
    expect((await saved).suggestedFilename()).toBe('chain.pem');
    expect(await readFile(await (await saved).path(), 'utf8')).toMatch(/^-----BEGIN PUBLIC KEY-----/);
    await open('', t('overview'));
    await see(new RegExp(t('verifiedWhole').split(' ')[1] ?? ''));
  });

  it('tells the roll of a moment, freezes it for an election, and compares two', async () => {
    // The minute has begun, so it has a list.
    const at = new Date().toISOString().slice(0, 16);
    const save = async (name: string): Promise<string> => {
      const saved = operator.page.waitForEvent('download');
      await press(name);
      return readFile(await (await saved).path(), 'utf8');
    };
    await open('record', t('recordTitle'));
    await fill(t('moment'), at);
    await press(t('rollShow'));
    await operator.page
      .getByRole('heading', { name: t('rollOf', { count: '' }).trim().split(':')[0] ?? '' })
      .waitFor();
    expect(await operator.page.locator('main').innerText()).not.toMatch(/\b\d{10}\b/);
    const receipt = JSON.parse(await save(t('receiptFile')));
    expect(receipt).toMatchObject({ format: 'membership-roll/1', at: `${at}:00.000Z` });
    const list = await save(t('listFile'));
    expect(createHash('sha256').update(list).digest('hex')).toBe(receipt.sha256);
    expect(await save(t('pageIs'))).toContain('<html lang="is">');
    expect(await save(t('pageEn'))).toContain('<html lang="en">');
    expect(await violationsOf(operator.page)).toEqual([]);

    await fill(t('rollName'), 'board-2026');
    await fill(t('until'), '2099-01-01');
    await fill(t('reason'), 'the board');
    await press(t('freeze'));
    await operator.page.getByRole('cell', { name: 'the board' }).waitFor();
    await press(`${t('show')}: board-2026`);
    await seeState('board-2026');

    await fill(t('firstMoment'), at);
    await fill(t('secondMoment'), at);
    await press(t('compareDo'));
    await see(t('cameAndWent', { came: '0', went: '0' }));

    await fill(t('moment'), '2001-01-01T12:00');
    await press(t('rollShow'));
    await see(code('error', 'roll_unknown'));
  });

  it('is usable by keyboard alone', async () => {
    await operator.page.locator('nav a').nth(1).focus();
    await operator.page.keyboard.press('Enter');
    await operator.page.getByRole('heading', { level: 1, name: t('runs') }).waitFor();
    await operator.page.waitForFunction(() => document.activeElement?.tagName === 'H1');
  });

  it('speaks the other language when asked, and signs out', async () => {
    await press(t('language'));
    const other = textsOf(language === 'is' ? 'en' : 'is');
    await operator.page.getByRole('heading', { level: 1, name: other('runs') }).waitFor();
    await press(other('signOut'));
    await operator.page.getByRole('heading', { name: other('developmentSignIn') }).waitFor();
  });
});
