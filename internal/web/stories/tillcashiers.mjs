// The stories of who stands at the till: cashiers, managers, and those in training.
import { accessible, ask, check, picture, stage } from './browser.mjs';
import { agent, amount, basketOf, commit, done, end, salesOf, says, till } from './tillhands.mjs';

async function pin(page, name, digits) {
  await page.click(`dialog[open] li button:has-text("${name}")`);
  await page.fill('input[name=pin]', digits);
  await page.keyboard.press('Enter');
}

export async function cashiers() {
  await ask('hire');
  const page = await till();
  await says(page, 'Who is at the till?');
  await accessible(page, 'choosing a cashier');
  await picture(page, 'till-cashiers-light');
  await pin(page, 'Ana', '0000');
  await says(page, 'This PIN is wrong');
  await accessible(page, 'a wrong PIN');
  await picture(page, 'till-pin-light');
  await page.fill('input[name=pin]', '4711');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.rail .who:has-text("Ana")');
  await basketOf(page, '60');
  await commit(page);
  await done(page);
  await page.click('text=Void this sale');
  await page.click('dialog >> text=Void sale');
  await says(page, 'A manager must approve');
  await picture(page, 'till-approve-light');
  await pin(page, 'Bo', '080815');
  await says(page, 'Give back €60.00');
  const undone = (await salesOf(page))[0];
  check(undone.state === 'voided' && undone.done_by.name === 'Ana', JSON.stringify(undone));
  // Two touches to another cashier, then the PIN.
  await page.click('.rail .who');
  await pin(page, 'Bo', '080815');
  await page.waitForSelector('.rail .who:has-text("Bo")');
  await end(page);
}

export async function typedNumber() {
  const page = await till();
  await pin(page, 'Ana', '4711');
  await page.waitForSelector('.rail .who:has-text("Ana")');
  // With head office in reach it says yes or no; without it a manager does.
  await ask('drained');
  await ask('hq-down');
  await page.waitForSelector('.bar .state:has-text("Offline")');
  const wrong = stage.number.replace(/.$/, (d) => String((Number(d) + 1) % 10));
  await page.fill('input[name=code]', wrong);
  await page.keyboard.press('Enter');
  await says(page, 'A digit of the card number is wrong');
  await page.fill('input[name=code]', stage.number);
  await page.keyboard.press('Enter');
  await says(page, 'Typed number');
  await amount(page, '20');
  await page.click(`.tile:has-text("${stage.coffee}") button.main`);
  await says(page, 'A manager must approve');
  await pin(page, 'Bo', '080815');
  await commit(page);
  await done(page);
  const sale = (await salesOf(page))[0];
  check(sale.to_pay === 1700 && sale.approved_by.name === 'Bo', JSON.stringify(sale));
  await ask('hq-up');
  await end(page);
}

/** choose changes the page's language in the settings. */
async function choose(page, locale) {
  await page.click('.rail button:not([aria-keyshortcuts])');
  await page.selectOption('dialog[open] select >> nth=0', locale);
  await page.waitForSelector(`html[lang=${locale}]`, { state: 'attached' });
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog[open]', { state: 'detached' });
}

export async function training() {
  const page = await till();
  const before = (await agent(page, '/v1/status').catch(() => ({}))).head_seq;
  await page.click('dialog[open] li button:has-text("Ana")');
  await page.check('input[name=training]');
  await page.fill('input[name=pin]', '4711');
  await page.keyboard.press('Enter');
  await says(page, 'Training: nothing is recorded');
  await basketOf(page, '16');
  for (const locale of ['tr', 'pl', 'en']) {
    await choose(page, locale);
    await accessible(page, `training in ${locale}`);
  }
  await picture(page, 'till-training-light');
  await commit(page);
  await done(page);
  check((await agent(page, '/v1/status')).head_seq === before, 'the journal grew in training');
  await end(page);
}
