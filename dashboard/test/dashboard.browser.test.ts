import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { untilThere } from '../../local/src/scenarios/two-way-view.ts';
import type { Language } from '../src/i18n/language.tsx';
import { violationsOf } from './accessibility.ts';
import { type Operator, openBrowser } from './browser.ts';
import { emailInRegistry, makeConflict, makeWaitingEdit } from './edits.ts';
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
  const screenshot = (name: string) =>
    operator.page.screenshot({ path: join(IMAGES, `dashboard-${name}-${language}.png`) });

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
    await see(code('why', 'never_run'));
  });

  it('plans the first run of each mirror, and runs it', async () => {
    for (const mirror of ['roster', 'portal', 'register'] as const) {
      await open(`plan/${mirror}`, t('planOf', { mirror: t(mirror) }));
      await press(t('plan'));
      await operator.page
        .getByRole('cell', { name: String(MEMBERS), exact: true })
        .first()
        .waitFor();
      await press(t('runNow'));
      await seeDone();
    }
    everybody = await published();
    expect(everybody).toHaveLength(MEMBERS);
    // The portal's first members have asked for the list anew: its run must not come between those of the next tests.
    await all.stack.functions.drain();
  });

  it('sees that all is in order, the picture and the charts', async () => {
    await open('', t('overview'));
    await see(t('nothingNeeded'));
    await operator.page.getByRole('img', { name: new RegExp(t('picture')) }).waitFor();
    await operator.page.locator('figure canvas').last().waitFor();
    expect(await operator.page.locator('figure canvas').count()).toBe(3);
    await operator.page.getByText(`${t('asTable')}: ${t('membersOverTime')}`).click();
    await operator.page
      .getByRole('row')
      .filter({ hasText: String(MEMBERS) })
      .first()
      .waitFor();
    await operator.page.evaluate(() => scrollTo(0, 0));
    await screenshot('overview');
  });

  it('finds the guard refusing a large removal, and approves exactly that plan', async () => {
    all.stack.registry?.addFault({ drop: DROPPED });
    await open('plan/roster', t('planOf', { mirror: t('roster') }));
    await press(t('plan'));
    await see(t('guardRefused'));
    await screenshot('refused');
    expect(await published()).toEqual(everybody);
    await fill(t('operator'), 'Test Operator');
    await fill(t('reason'), 'left the party');
    await press(t('approve'));
    await seeDone();
    expect(await published()).toHaveLength(MEMBERS - DROPPED);
  });

  it('shows that run, who approved it, and who was removed', async () => {
    await operator.page.getByRole('link', { name: t('doneLink') }).click();
    await see('Test Operator');
    await see('left the party');
    await press(t('showChanges'));
    const left = new Set(await published());
    const missing = everybody.filter((kennitala) => !left.has(kennitala));
    await see(missing[0] ?? '');
    const removed = operator.page.getByRole('region', { name: t('removed') }).getByRole('listitem');
    expect((await removed.allTextContents()).toSorted()).toEqual(missing);
  });

  it('approves a run that the schedule had refused, from its own page', async () => {
    all.stack.registry?.clearFaults();
    await open('plan/roster', t('planOf', { mirror: t('roster') }));
    await press(t('plan'));
    const guarded = operator.page.getByRole('button', { name: t('approve'), exact: true });
    const free = operator.page.getByRole('button', { name: t('runNow'), exact: true });
    await guarded.or(free).waitFor();
    if (await guarded.isVisible()) {
      await fill(t('reason'), 'they are back');
      await guarded.click();
    } else await free.click();
    await seeDone();
    expect(await published()).toEqual(everybody);

    all.stack.registry?.addFault({ drop: DROPPED + 5 });
    const served = all.stack.functions.functions.find(({ name }) => name === 'syncMemberList');
    await fetch(served?.url ?? '', { method: 'POST' });
    await open('runs', t('runs'));
    await operator.page.getByLabel(t('outcome')).selectOption('blocked');
    await operator.page
      .getByRole('row')
      .filter({ hasText: code('outcome', 'blocked') })
      .first()
      .getByRole('link')
      .click();
    await fill(t('reason'), 'they left after all');
    await press(t('approve'));
    await seeDone();
    expect(await published()).toHaveLength(MEMBERS - DROPPED - 5);
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
    await see(t('plannedNothing'));
    expect(await published()).toHaveLength(MEMBERS - DROPPED - 5);
    const form = operator.page.getByRole('form');
    await form.getByLabel(t('reason')).fill('wrong approval');
    await form.getByRole('button').click();
    await seeDone();
    expect(await published()).toEqual(everybody);
    await open('', t('overview'));
    await see(/wrong approval/);
  });

  it('resumes, and pauses another mirror by hand', async () => {
    all.stack.registry?.clearFaults();
    const act = async (mirror: 'roster' | 'portal', verb: 'pause' | 'resume', reason: string) => {
      const title = t(`${verb}Of`, { mirror: t(mirror) });
      await operator.page.locator('summary').filter({ hasText: title }).click();
      const form = operator.page.getByRole('form', { name: title });
      await form.getByLabel(t('reason')).fill(reason);
      await form.getByRole('button').click();
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
    await operator.page.getByLabel(t('state')).selectOption('pending');
    await operator.page
      .getByRole('row')
      .filter({ hasText: code('queue', 'pending') })
      .getByRole('link')
      .click();
    await see(edit.email);
    const act = async (verb: 'retry' | 'giveUp') => {
      const form = operator.page.getByRole('form', { name: t(verb) });
      await form.getByLabel(t('reason')).fill('looked at');
      await form.getByRole('button').click();
    };
    await act('giveUp');
    await seeState(code('queue', 'failed'));
    expect(await all.portal.emailOf(edit.kennitala)).toBe(edit.before);
    all.stack.registry?.clearFaults();
    await act('retry');
    await see(code('retry', 'delivered'));
    expect(emailInRegistry(all, edit.memberId)).toBe(edit.email);
  });

  it('decides conflicts: ours, theirs and another value', async () => {
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
      if (name === 'ours') await screenshot('conflict');
      await operator.page.getByLabel(t(keep), { exact: true }).check();
      const other = `other.${language}@postur.example`;
      if (keep === 'keepOther') await operator.page.getByLabel(t('wanted'), { exact: true }).fill(other);
      await press(t('decide'));
      await see(t(keep === 'keepRegistry' ? 'decidedHere' : 'decidedSent'));
      const expected = { keepPortal: conflict.portal, keepRegistry: conflict.registry, keepOther: other }[
        keep
      ];
      const arrived = await untilThere(async () =>
        emailInRegistry(all, conflict.memberId) === expected ? true : null,
      );
      expect(arrived).not.toBeNull();
    };
    await decide('keepPortal', 'ours');
    await decide('keepRegistry', 'theirs');
    await decide('keepOther', 'other');
  });

  it('is usable on a phone and in the dark, and by keyboard alone', async () => {
    await operator.page.setViewportSize({ width: 360, height: 740 });
    await operator.page.emulateMedia({ colorScheme: 'dark' });
    await open('', t('overview'));
    await operator.page.getByRole('img').waitFor();
    expect(await violationsOf(operator.page)).toEqual([]);
    const overflow = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
    expect(await operator.page.evaluate(overflow)).toBe(0);
    if (language === 'en') await screenshot('phone');
    await operator.page.locator('nav a').nth(1).focus();
    await operator.page.keyboard.press('Enter');
    await operator.page.getByRole('heading', { level: 1, name: t('runs') }).waitFor();
    await operator.page.waitForFunction(() => document.activeElement?.tagName === 'H1');
    expect(await operator.page.evaluate(overflow)).toBe(0);
  });

  it('speaks the other language when asked, and signs out', async () => {
    await press(t('language'));
    const other = textsOf(language === 'is' ? 'en' : 'is');
    await operator.page.getByRole('heading', { level: 1, name: other('runs') }).waitFor();
    await press(other('signOut'));
    await operator.page.getByRole('heading', { name: other('developmentSignIn') }).waitFor();
  });
});
