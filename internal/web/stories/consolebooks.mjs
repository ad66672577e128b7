// The console's story of the till software's books: a file, how it is understood, what differs.
import { check, faultless, picture } from './browser.mjs';
import { accessibleInBoth, page, press, visit } from './consolehands.mjs';

const today = new Date().toISOString().slice(0, 10);
const [y, m, d] = today.split('-');
const file =
  'Rapor\r\nFiş No;Kasa;Tarih;Tutar\r\n' +
  `900;POS 9;${d}.${m}.${y};1.234,50\r\n901;POS 9;never;1,00\r\nToplam;;;1.235,50\r\n`;

export const books = {
  'the books of a till software come in': async () => {
    await visit('/books');
    await page.getByText('Nothing is open.').waitFor();
    await page
      .getByLabel('File', { exact: true })
      .setInputFiles({ name: 'kasa.csv', mimeType: 'text/csv', buffer: Buffer.from(file) });
    await page.getByText('kasa.csv').waitFor();
    await page.getByLabel('Lines before the head').fill('1');
    await page.getByLabel('Decimal mark').selectOption(',');
    await page.getByLabel('Between thousands').fill('.');
    await page.getByLabel('Time is written').fill('dd.MM.yyyy');
    await page.getByLabel('Word of a total line').fill('Toplam');
    await page.getByLabel('Lane', { exact: true }).fill('Kasa');
    await page.getByLabel('Receipt number', { exact: true }).first().fill('Fiş No');
    await page.getByLabel('Date and time').fill('Tarih');
    await page.getByLabel('Amount', { exact: true }).fill('Tutar');
    const preview = page.getByRole('region', { name: 'The first rows as understood' });
    await preview.getByText('1,234.50').waitFor();
    await preview.getByText('is no time of this format').waitFor();
    await page.mouse.move(0, 0);
    await accessibleInBoth('a mapping', { each: (theme) => picture(page, `console-mapping-${theme}`) });
    await page.getByLabel('Name of the mapping').fill('the Turkish till');
    await press('Save mapping');
    await page.getByText('Saved: the Turkish till.').waitFor();
    await press('Read and match');
    await page
      .getByRole('row', { name: /kasa\.csv/ })
      .getByText('done')
      .waitFor();
    const [bad] = await Promise.all([page.waitForEvent('download'), press('Bad rows: kasa.csv')]);
    check((await bad.path()) !== null, 'the bad rows are no file');
    await page.getByRole('link', { name: 'Results', exact: true }).click();
    await page.getByRole('row', { name: /900/ }).getByText('missing in the journals').waitFor();
    await accessibleInBoth('results of books', { each: (theme) => picture(page, `console-books-${theme}`) });
    const filters = page.locator('form').filter({ hasText: 'Result' });
    await filters.getByLabel('Store').selectOption({ index: 1 });
    // Nothing of what matches can be settled, so the button must not settle all the rest.
    await filters.getByLabel('Result').selectOption('matched');
    await page.locator('button:disabled', { hasText: 'Settle all of these' }).waitFor();
    await filters.getByLabel('Result').selectOption('');
    await press('Settle all of these');
    await page
      .getByRole('dialog')
      .getByText(/It would change: [1-9]/)
      .waitFor();
    await page.getByLabel('Reason', { exact: true }).fill('a till without Tallystick');
    await page.getByRole('dialog').getByRole('button', { name: 'Settle all of these' }).click();
    await page.getByText(/Changed: [1-9]/).waitFor();
    await visit('/days?books=differences');
    await page.getByText('No day of this month has differences.').waitFor();
    await page.getByRole('combobox', { name: 'Books' }).selectOption('');
    const day = page.getByRole('table').locator('[aria-label*="differences, all settled"]').first();
    await day.waitFor();
    const over = await page.locator('.scroll').evaluate((e) => e.scrollWidth - e.clientWidth);
    check(over <= 0, `a month is ${over} pixels wider than the page`);
    await accessibleInBoth('days with books', { each: (theme) => picture(page, `console-days-books-${theme}`) });
    await day.focus();
    await page.keyboard.press('Enter');
    await page
      .getByRole('link', { name: /matched, 1 not, 0 open/ })
      .or(page.getByRole('row', { name: /900/ }))
      .first()
      .waitFor();
    faultless(page);
  },
};
