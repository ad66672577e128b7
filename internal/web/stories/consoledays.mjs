// The console's story of the days of a store: what one waits for, and its certificate.
import { readFile } from 'node:fs/promises';
import { ask, check, faultless, picture, stage } from './browser.mjs';
import { accessibleInBoth, page, visit } from './consolehands.mjs';

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
    await accessibleInBoth('what is owed', { each: (theme) => picture(page, `console-liability-${theme}`) });
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
};
