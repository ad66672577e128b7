// The console's stories of exceptions as work: what takes two people, evidence, the report
// by age.
import { ask, check, faultless, open, picture, stage } from './browser.mjs';
import { accessibleInBoth, api, browser, page, press, screen, signIn, visit } from './consolehands.mjs';

export const password = 'two pairs of eyes';
const dialog = page.getByRole('dialog');

/** another is the page of a second person, who signs in there. */
export async function another(name) {
  const on = await open(browser, { viewport: screen });
  await on.goto(`${stage.hq}/console`);
  await signIn(on, password, name);
  await on.getByRole('navigation', { name: 'Pages' }).waitFor();
  return on;
}

export const cases = {
  'a limit is proposed by one and approved by another': async () => {
    const { token } = await api('', 'POST', '/sessions', { name: stage.name, password: stage.password });
    await api(token, 'POST', '/people', { name: 'Fatma', role: 'finance', password });
    await visit('/exceptions');
    await page.getByRole('link', { name: 'Rules and limits' }).click();
    await page.getByText('No limits: one person is enough.').waitFor();
    await press('Propose');
    await dialog.getByRole('button', { name: 'Add a row' }).last().click();
    const limits = dialog.getByRole('group', { name: 'Two people above' });
    await limits.getByLabel('Cause').selectOption('overdraw');
    await limits.getByLabel('Unit or currency').fill('points');
    await limits.getByLabel('above').fill('1');
    await dialog.getByRole('button', { name: 'Propose', exact: true }).click();
    await page.getByText('It waits for somebody else to approve it.').waitFor();
    check((await page.getByRole('button', { name: 'Approve' }).count()) === 0, 'who proposed it may approve it');
    await picture(page, 'console-limit-proposed');
  },

  'an exception above the limit is settled by two': async () => {
    const fatma = await another('Fatma');
    await fatma.goto(`${stage.hq}/console/exceptions/rules`);
    await fatma.getByRole('button', { name: 'Approve', exact: true }).click();
    await fatma.getByText('Two people above: Overdraw, above 1 points').waitFor();

    await visit('/exceptions?exceptions.state=settled');
    await page.getByRole('link', { name: 'Overdraw' }).click();
    await page.getByText('proof holds').waitFor();
    await page.getByRole('heading', { name: 'The account around it' }).waitFor();
    await press('Open again');
    await dialog.getByLabel('Why, in a sentence').fill('they did not pay');
    await dialog.getByRole('button', { name: 'Open again', exact: true }).click();
    await page.getByText('Suggested:').waitFor();
    await picture(page, 'console-exception-open');
    await press('Move the date');
    await dialog.getByLabel('To be settled by').fill('2026-12-31');
    await dialog.getByLabel('Why, in a sentence').fill('the store asked for time');
    await dialog.getByRole('button', { name: 'Move the date', exact: true }).click();
    await page.getByText('the store asked for time').waitFor();
    await press('Settle');
    await dialog.getByLabel('How it was settled').selectOption('charged');
    await dialog.getByLabel('Why, in a sentence').fill('the store pays after all');
    await dialog.getByRole('button', { name: 'Propose', exact: true }).click();
    await page.getByText('It waits for somebody else to approve it.').waitFor();

    await fatma.goto(page.url());
    await fatma.getByText('the store pays after all').first().waitFor();
    await picture(fatma, 'console-proposal');
    await fatma.getByRole('button', { name: 'Approve', exact: true }).click();
    await fatma.getByText('Charged to who is liable').first().waitFor();
    await page.getByText('Charged to who is liable').first().waitFor();
    await picture(page, 'console-exception-two');
    faultless(fatma);
    await fatma.context().close();
  },

  'a rule is tried before it is proposed': async () => {
    await visit('/exceptions/rules');
    await page.setViewportSize({ width: 1024, height: 768 });
    await press('New rule');
    await dialog.getByLabel('Name').fill('small ones');
    await dialog.getByLabel('Cause').selectOption('overdraw');
    await dialog.getByLabel('Unit or currency').fill('points');
    await dialog.getByLabel('Up to').fill('5');
    await dialog.getByLabel('At most in a day').fill('100');
    await dialog.getByLabel('Reason').fill('not worth a letter');
    await dialog.getByRole('button', { name: 'Count', exact: true }).press('Enter');
    await dialog.getByText(/^\d+ exceptions/).waitFor();
    const button = await dialog.getByRole('button', { name: 'Propose', exact: true }).boundingBox();
    check(button.y + button.height <= 768, `the button to propose a rule is at ${JSON.stringify(button)}`);
    await accessibleInBoth('the dialog of a rule', {
      within: 'dialog[open]',
      each: (theme) => picture(page, `console-rule-${theme}`),
    });
    await page.keyboard.press('Escape');
    await page.setViewportSize(screen);
  },

  'a bulk is counted before it is done': async () => {
    await visit('/exceptions');
    await press('All of these');
    await dialog.getByLabel('Cause').selectOption('fork');
    await dialog.getByLabel('Store').selectOption({ index: 1 });
    await dialog.getByRole('button', { name: 'Do it to …' }).click();
    await dialog.getByText('Count them first.').waitFor();
    await dialog.getByRole('button', { name: 'Count', exact: true }).click();
    await dialog.getByText(/^\d+ exceptions/).waitFor();
    await page.keyboard.press('Tab');
    check((await dialog.getByText('Count them first.').count()) === 0, 'it says to count what was counted');
    await picture(page, 'console-bulk');
    await page.keyboard.press('Escape');
  },

  'what is unsettled is shown by age, as of any day': async () => {
    await visit('/exceptions');
    await page.getByRole('link', { name: 'By age' }).click();
    await page.getByLabel('As of').fill('2020-01-01');
    await page.getByText('Nothing was unsettled.').waitFor();
  },
};

export const forks = {
  'both branches of a copied terminal stand side by side': async () => {
    await ask('copy a terminal');
    await page.setViewportSize({ width: 1024, height: 768 });
    await visit('/exceptions');
    await page.getByRole('link', { name: 'Fork of a journal' }).first().click();
    await page.getByText('Two journals claim one number.').waitFor();
    const table = page.getByRole('region', { name: 'The branches side by side' });
    await table.getByRole('columnheader', { name: /^Branch 0/ }).waitFor();
    await table.getByRole('columnheader', { name: /^Branch 1/ }).waitFor();
    const first = table.locator('tr.first');
    check((await table.locator('tr.first').count()) === 1, 'the first difference is not marked once');
    const cells = await first.getByRole('cell').allInnerTexts();
    check(
      cells.length === 2 && cells[0].includes('20.00') && cells[1].includes('45.00'),
      `the first that differs reads ${JSON.stringify(cells)}`,
    );
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    check(wide <= 0, `a fork is ${wide} pixels wider than 1024`);
    await first.scrollIntoViewIfNeeded();
    await accessibleInBoth('a fork', { each: (theme) => picture(page, `console-fork-${theme}`) });
    await page.setViewportSize(screen);
    faultless(page);
  },
};
