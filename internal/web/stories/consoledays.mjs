// The console's story of the days of a store: what one waits for, and its certificate.
import { readFile } from 'node:fs/promises';
import { ask, check, faultless, picture, stage } from './browser.mjs';
import { another, password } from './consolecases.mjs';
import { accessibleInBoth, api, page, press, visit } from './consolehands.mjs';

export const days = {
  'a day waits for its last lane, and is certified': async () => {
    const day = (state) => page.getByRole('button', { name: new RegExp(`, ${state}`) }).first();
    const dialog = page.getByRole('dialog');
    await ask('close the day of lane1');
    await page.getByRole('link', { name: 'Days', exact: true }).click();
    await day('waiting').click();
    await dialog.getByText('lane2: has not closed the day').waitFor();
    await page.keyboard.press('Escape');
    await ask('close the day of lane2');
    await day('certified').waitFor();
    const over = await page.locator('.scroll').evaluate((e) => e.scrollWidth - e.clientWidth);
    check(over <= 0, `a month is ${over} pixels wider than the page`);
    await page.mouse.move(0, 0);
    await accessibleInBoth('days', { each: (theme) => picture(page, `console-days-${theme}`) });
    await day('certified').press('Enter');
    await dialog.getByText('Certificate number 1').waitFor();
    await dialog.getByRole('rowheader', { name: 'sale' }).first().waitFor();
    await accessibleInBoth('a certificate', {
      within: 'dialog[open]',
      each: (theme) => picture(page, `console-certificate-${theme}`),
    });
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('button', { name: 'Save certificate' }).click(),
    ]);
    const text = await readFile(await download.path(), 'utf8');
    const said = JSON.parse(Buffer.from(text.split('.')[1], 'base64url').toString());
    check(said.number === 1 && said.journals.length === 2, `the certificate says ${JSON.stringify(said)}`);
    const [paper] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('button', { name: 'PDF' }).click(),
    ]);
    const pdf = await readFile(await paper.path());
    check(pdf.subarray(0, 5).toString() === '%PDF-', 'the paper is no PDF');
    await dialog.getByRole('link', { name: 'How it came to its figures' }).click();
    await page.getByRole('rowheader', { name: 'Said by the terminals' }).waitFor();
    const said1 = await page.getByRole('row', { name: /Said by the terminals/ }).textContent();
    const certified = await page.getByRole('row', { name: /^Certified/ }).textContent();
    check(
      said1.replace('Said by the terminals', '') === certified.replace('Certified', ''),
      `${said1} came to ${certified}`,
    );
    await page.getByRole('button', { name: 'lane1' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /Entries of lane1/ }).waitFor();
    await page
      .getByRole('link', { name: /^1\/\d+$/ })
      .first()
      .waitFor();
    await accessibleInBoth('a waterfall', { each: (theme) => picture(page, `console-waterfall-${theme}`) });
    await page
      .getByRole('link', { name: /^1\/\d+$/ })
      .first()
      .click();
    await page.waitForURL('**/console/journal/**');
    await visit('/days?month=2001-02');
    check((await page.getByRole('columnheader').count()) === 29, 'February 2001 has not 28 days');
    faultless(page);
  },

  'what members are owed is shown down to its postings': async () => {
    const { token } = await api('', 'POST', '/sessions', { name: stage.name, password: stage.password });
    const price = { unit: 'points', currency: 'PLN', from: '2020-01-01', per_thousand: 4300 };
    await api(token, 'POST', '/settlement/terms', { price });
    await page.getByRole('link', { name: 'Liability', exact: true }).click();
    const figure = page.getByRole('link', { name: /^(Issued|By hand), .*, all: / }).first();
    await figure.waitFor();
    await page.getByRole('heading', { name: 'Breakage' }).waitFor();
    await page.getByLabel('A movement stands in the month').selectOption('effective');
    await page.waitForURL(/by=effective/);
    await figure.click();
    await page
      .getByRole('cell', { name: /→ free/ })
      .first()
      .waitFor();
    await page.mouse.move(0, 0);
    // It is wider than a small screen: the table scrolls, the page does not, and its first column stays.
    await page.setViewportSize({ width: 1024, height: 768 });
    await accessibleInBoth('what is owed', { each: (theme) => picture(page, `console-liability-${theme}`) });
    const stays = await page
      .locator('.scroll')
      .first()
      .evaluate((e) => {
        const left = () => e.querySelector('tbody th').getBoundingClientRect().left - e.getBoundingClientRect().left;
        e.style.maxWidth = '30rem';
        const before = left();
        e.scrollLeft = e.scrollWidth;
        const found = { before, after: left(), scrolled: e.scrollLeft };
        e.style.maxWidth = '';
        return { ...found, page: document.documentElement.scrollWidth - innerWidth };
      });
    check(
      stays.scrolled > 50 && Math.abs(stays.after - stays.before) < 8 && stays.page <= 0,
      `what is owed scrolls so: ${JSON.stringify(stays)}`,
    );
    const dialog = page.getByRole('dialog');
    await page.getByText('No value was set.').waitFor();
    await press('Set a value');
    await dialog.getByLabel('Currency').fill('eu');
    await dialog.getByLabel('From', { exact: true }).fill('2020-01-01');
    await dialog.getByLabel('For 1,000', { exact: true }).fill('12.505');
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await dialog.getByText('A currency has three letters').waitFor();
    await dialog.getByLabel('Currency').fill('eur');
    await dialog.getByText('Type an amount that the currency can have').waitFor();
    await dialog.getByLabel('For 1,000', { exact: true }).fill('12.50');
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('cell', { name: '€12.50' }).waitFor();
    await page.getByText('at €12.50 for 1,000, set from Jan 1, 2020').waitFor();
    await page.getByText('no value set: settlement’s clearing price, PLN 43.00 for 1,000').waitFor();
    await page.getByRole('cell', { name: '€12.50' }).scrollIntoViewIfNeeded();
    await accessibleInBoth('what units are worth', { each: (theme) => picture(page, `console-worth-${theme}`) });
    await page.setViewportSize({ width: 1440, height: 900 });
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'CSV', exact: true }).click(),
    ]);
    const text = await readFile(await file.path(), 'utf8');
    check(text.includes('unit,month,expires,opening,issued'), `the file says ${text.slice(0, 200)}`);
    await page.getByLabel('Known through').fill('2001-02-03');
    await page.getByLabel('Known through').press('Tab');
    await page.waitForURL(/known=2001-02-03/);
    await page.getByRole('cell', { name: '0', exact: true }).first().waitFor();
    faultless(page);
  },

  'a month is drafted by one and locked by another': async () => {
    const dialog = page.getByRole('dialog');
    const { token } = await api('', 'POST', '/sessions', { name: stage.name, password: stage.password });
    await api(token, 'POST', '/people', { name: 'Ines', role: 'finance', password });
    const month = await ask('a month that is over');
    await page.setViewportSize({ width: 1024, height: 768 });
    await visit('/statements');
    await page.getByText(/^no price of points in EUR/).waitFor();
    check((await page.getByRole('button', { name: /^Lock/ }).count()) === 0, 'an open month may be locked');

    await visit('/settlement');
    await press('Add');
    await dialog.getByLabel('From', { exact: true }).fill('2020-01-01');
    await dialog.getByLabel('Unit (uses for vouchers)').fill('points');
    await dialog.getByLabel('Currency', { exact: true }).fill('EUR');
    await dialog.getByLabel('For 1,000 units, in minor units').fill('1000');
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('cell', { name: 'points, EUR' }).waitFor();

    await page.getByRole('link', { name: 'Statements', exact: true }).click();
    const north = page.getByRole('row').filter({ hasText: 'North Ltd' });
    await north.getByText('€12.34').waitFor();
    await north.getByText('Preview', { exact: true }).waitFor();
    await accessibleInBoth('a preview', { each: (theme) => picture(page, `console-preview-${theme}`) });
    await press('Draft');
    await dialog.getByRole('button', { name: 'Draft', exact: true }).click();
    await north.getByText('no number yet').waitFor({ timeout: 30_000 });
    await press('Lock the month');
    await dialog.getByRole('button', { name: 'Lock the month', exact: true }).click();
    await dialog.getByText('drafted the month locks it').waitFor();
    await accessibleInBoth('a month to lock', { each: (theme) => picture(page, `console-lock-${theme}`) });
    await page.keyboard.press('Escape');

    const ines = await another('Ines');
    await ines.goto(`${stage.hq}/console/statements?month=${month}`);
    await ines.getByRole('button', { name: 'Lock the month', exact: true }).click();
    await ines.getByRole('dialog').getByRole('button', { name: 'Lock the month', exact: true }).click();
    await ines.getByRole('cell', { name: `NORTH-${month.slice(0, 4)}-0001` }).waitFor();
    faultless(ines);
    await ines.context().close();
    await visit(`/statements?month=${month}`);
    await north.getByRole('link', { name: 'NORTH', exact: true }).press('Enter');
    await page.getByText('€12.34').first().waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    check(wide <= 0, `a statement is ${wide} pixels wider than 1024`);
    await accessibleInBoth('a locked statement', { each: (theme) => picture(page, `console-locked-${theme}`) });
    await page.setViewportSize({ width: 1440, height: 900 });
    faultless(page);
  },

  'the statements of a month are listed, and one is read down to its postings': async () => {
    await visit('/statements');
    await page
      .getByText('Nothing was settled yet.')
      .or(page.getByText('Preview', { exact: true }).first())
      .waitFor();
    const id = (n) => `00000000-0000-7000-8000-00000000000${n}`;
    const party = {
      id: id(1),
      code: 'F-01',
      name: 'Łódzkie Sklepy',
      tax_number: '',
      address: '',
      currency: 'PLN',
      language: 'pl',
      gross: false,
      version: 1,
    };
    const totals = [{ currency: 'PLN', owed: 123456, owes: 3456, net: 120000 }];
    const group = {
      counterparty: id(2),
      counterparty_code: 'F-02',
      kind: 'redeemed',
      unit: 'points',
      currency: 'PLN',
      points: 61728,
      owed: 123456,
      owes: 0,
      lines: 1,
    };
    const statement = {
      party,
      month: '2026-09',
      state: 'locked',
      number: 'F-01/2026/3',
      cut_at: '2026-10-02T10:00:00Z',
      locked_at: '2026-10-03T10:00:00Z',
      totals,
      groups: [group, { ...group, kind: 'fee', fee: 'service', owed: 0, owes: 3456 }, { ...group, of: '2026-08' }],
      notes: [{ number: 'F-01/2026/4', of: '2026-08', of_number: 'F-01/2026/1', totals }],
      remarks: [{ what: 'uncertified_days', store: 'S-9', count: 2 }],
    };
    const amount = { currency: 'PLN', minor: 123456 };
    const answers = {
      '/settlement/months': {
        items: [
          { month: '2026-10', state: 'drafting', missing: [] },
          { month: '2026-09', state: 'locked', missing: [], cut_at: statement.cut_at },
        ],
      },
      '/settlement/months/2026-09/statements': { items: [statement] },
      [`/settlement/months/2026-09/statements/${party.id}`]: statement,
      [`/settlement/months/2026-09/statements/${party.id}/lines`]: {
        items: [
          {
            number: 7,
            kind: 'redeemed',
            from: id(2),
            to: id(1),
            unit: 'points',
            day: '2026-09-03',
            points: 61728,
            debit: amount,
            credit: amount,
            per_thousand: 2000,
          },
        ],
      },
      '/settlement/months/2026-09/lines/7/postings': {
        items: [
          {
            posting: id(5),
            account: id(6),
            recorded_at: '2026-09-03T10:00:00Z',
            points: 61728,
            from_day: '2026-08-01',
            to_day: '2026-09-03',
            day: '2026-09-03',
            kind: 'redeemed',
          },
        ],
      },
    };
    // A month of this head office is not over yet: what a settled one looks like is said for it.
    await page.route('**/api/v1/settlement/**', (route) => {
      const json = answers[new URL(route.request().url()).pathname.replace('/api/v1', '')];
      return json ? route.fulfill({ json }) : route.continue();
    });
    await visit('/statements');
    await page.getByText('Head office drafts the month').waitFor();
    await page.getByLabel('Month', { exact: true }).selectOption('2026-09');
    await page.getByRole('link', { name: 'F-01', exact: true }).waitFor();
    await accessibleInBoth('statements', { each: (theme) => picture(page, `console-statements-${theme}`) });
    await page.getByRole('link', { name: 'F-01', exact: true }).press('Enter');
    await page.getByRole('heading', { name: 'Notes to months before' }).waitFor();
    await page.getByRole('link', { name: '7', exact: true }).press('Enter');
    await page.getByRole('link', { name: '00000000…' }).waitFor();
    await page.setViewportSize({ width: 1024, height: 768 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    check(wide <= 0, `a statement is ${wide} pixels wider than 1024`);
    await accessibleInBoth('a statement', { each: (theme) => picture(page, `console-statement-${theme}`) });
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.unroute('**/api/v1/settlement/**');
    faultless(page);
  },
};
