// The console in a browser, against a real head office with two lanes. What happens to
// the stage is asked of internal/e2e/browser_console_test.go.
import { readFile } from 'node:fs/promises';
import { ask, check, picture, stage, tell } from './browser.mjs';
import { branding } from './consolebranding.mjs';
import { books } from './consolebooks.mjs';
import { cases, forks } from './consolecases.mjs';
import { days } from './consoledays.mjs';
import { fleet } from './consolefleet.mjs';
import { page, press, reads, signIn, visit } from './consolehands.mjs';
import { people } from './consolepeople.mjs';
import { tour } from './consoletour.mjs';
import { wallets } from './consolewallets.mjs';

const tile = (label) => page.locator('.figures li').filter({ hasText: label }).locator('.value');

async function saved(format) {
  const coming = page.waitForEvent('download');
  await press(`Save this list as ${format}`);
  return (await coming).path();
}

await tell({
  'sign in': async () => {
    await visit('');
    await signIn(page, 'not the password');
    await page.getByText('Name or password is wrong.').waitFor();
    await signIn();
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    const [cookie] = await page.context().cookies();
    check(cookie.httpOnly && cookie.sameSite === 'Strict', `the cookie is ${JSON.stringify(cookie)}`);
  },

  'an offline sale arrives while the page is open': async () => {
    await reads(tile('Sales'), '0', 'before');
    await ask('sell offline');
    await reads(tile('Sales'), '0', 'while the lanes are cut off');
    await ask('reconnect');
    await reads(tile('Sales'), '2', 'after the sync');
    await reads(tile('Open exceptions'), '1', 'exceptions after the sync');
  },

  'an exception is settled': async () => {
    await page.getByRole('link', { name: 'Exceptions', exact: true }).click();
    await page.getByRole('link', { name: 'Overdraw' }).click();
    await press('I look after it');
    await page.getByLabel('Note', { exact: true }).fill('called the store <b>twice</b>');
    await press('Add the note');
    await page.getByText('called the store <b>twice</b>').waitFor();
    await press('Settle');
    await page.getByLabel('How it was settled').selectOption('charged');
    await page.getByLabel('Why, in a sentence').fill('both lanes were cut off');
    await page.getByRole('dialog').getByRole('button', { name: 'Settle', exact: true }).click();
    await page.getByText('Charged to who is liable').waitFor();
    await page.getByRole('link', { name: 'All exceptions' }).click();
    await page.getByText('Nothing waits.').waitFor();
    await page.getByLabel('State').selectOption('settled');
    await page.waitForURL(/exceptions\.state=settled/);
    await page.reload();
    await page.getByRole('link', { name: 'Overdraw' }).waitFor();
  },

  ...cases,

  'a member is found and adjusted': async () => {
    await visit('/members');
    await page.getByLabel('Alias, number or id').fill(stage.alias.slice(0, 3));
    await page.getByRole('link', { name: stage.alias }).click();
    await press('Adjust');
    await page.getByLabel('Amount, with a minus').fill('many');
    await page.getByRole('dialog').getByRole('button', { name: 'Adjust', exact: true }).click();
    await page.getByText('Type a whole number').waitFor();
    await page.getByLabel('Amount, with a minus').fill('5000');
    await page.getByRole('dialog').getByRole('button', { name: 'Adjust', exact: true }).click();
    await page.getByText('The balance is adjusted.').waitFor();
    await page.getByRole('cell', { name: '5,000', exact: true }).first().waitFor();
  },

  'a session that ends in mid-edit loses nothing': async () => {
    await press('Adjust');
    await page.getByLabel('Amount, with a minus').fill('77');
    const [cookie] = await page.context().cookies();
    const ended = await fetch(`${stage.hq}/api/v1/sessions/current`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${cookie.value}` },
    });
    check(ended.status === 204, `the session did not end: ${ended.status}`);
    // Not by the mouse: the page may hear of the end first, and then asks who is there above the form.
    await page
      .getByRole('dialog')
      .getByRole('button', { name: 'Adjust', exact: true })
      .evaluate((button) => button.click());
    await page.getByText('Your session has ended.').first().waitFor();
    await picture(page, 'console-session-ended');
    await signIn();
    await page.getByText('The balance is adjusted.').waitFor();
    await page.getByRole('cell', { name: '77', exact: true }).first().waitFor();
    check(
      (await page.getByRole('cell', { name: '77', exact: true }).count()) === 1,
      'the adjustment was made more than once',
    );
  },

  'head office stops and starts while the page is open': async () => {
    await visit('/exceptions?exceptions.state=settled');
    await page.getByRole('link', { name: 'Overdraw' }).click();
    await page.getByLabel('Note', { exact: true }).fill('written while nobody answered');
    await ask('stop head office');
    await press('Add the note');
    await page.getByText('Head office does not answer.').waitFor();
    await page.getByText('Not live').waitFor();
    check((await page.getByLabel('Note', { exact: true }).inputValue()) !== '', 'what was typed is gone');
    await ask('start head office');
    await page.locator('.said', { hasText: 'written while nobody answered' }).waitFor();
    await page.getByText('Head office does not answer.').waitFor({ state: 'hidden' });
    await page.getByText('Live', { exact: true }).waitFor();
    check(
      (await page.locator('.said', { hasText: 'written while nobody answered' }).count()) === 1,
      'the note is there twice',
    );
  },

  'lists are saved as files': async () => {
    await visit('/members');
    await page.getByRole('link', { name: stage.alias }).waitFor();
    const text = await readFile(await saved('CSV'), 'utf8');
    check(text.startsWith('\ufeffid,alias,reference') && text.includes(`,${stage.alias},`), `the CSV reads ${text}`);
    check(text.includes(`,'${stage.formula},`), `a formula is not guarded in ${text}`);
    const rows = await ask('read sheet', await saved('XLSX'));
    check(rows.length === 3 && rows.some((r) => r[1] === stage.formula), `the sheet reads ${JSON.stringify(rows)}`);
  },

  'an entry is proved in the page': async () => {
    await visit('/journal?entries.kind=sale');
    await page.locator('tbody a').first().click();
    await page.locator('[data-verdict=holds]').waitFor();
    await page.getByText('"business_date"').waitFor();
  },

  "head office's own entry is proved too": async () => {
    await visit('/journal');
    await page.getByRole('navigation', { name: 'Whose journal' }).getByRole('link', { name: 'Head office' }).click();
    await page.getByLabel('Kind').selectOption('hq_adjustment');
    await page.getByRole('cell', { name: 'adjustment' }).first().waitFor();
    await page.locator('tbody a').first().click();
    await page.locator('[data-verdict=holds]').waitFor();
    await page.getByText('"Amount": 77').waitFor();
    await page.getByRole('link', { name: 'Head office' }).click();
    await page.waitForURL(/journal\.by=hq/);
  },

  'a policy is previewed, then put in force': async () => {
    await visit('/policy');
    const settled = page.locator('aside tbody tr').filter({ hasText: 'points' }).locator('td').last();
    await settled.waitFor();
    await page.getByLabel('Per terminal since its last sync').first().fill('0');
    await reads(settled, '0', 'afterwards');
    await press('Put in force');
    await page.getByRole('dialog').getByRole('button', { name: 'Put in force' }).click();
    await page.getByRole('status').getByText('is in force.').first().waitFor();
  },

  ...books,
  ...days,

  ...fleet,

  ...branding,

  ...wallets,

  ...people,

  ...forks,

  ...tour,
});
