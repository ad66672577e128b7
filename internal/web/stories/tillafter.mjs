// The stories of what a till does beside selling: voids, returns, new members, the end of the day.
import { accessible, ask, check, open, picture, stage, wedge } from './browser.mjs';
import { agent, basketOf, browser, commit, done, end, salesOf, says, till } from './tillhands.mjs';

export async function voidSale() {
  const page = await till();
  await basketOf(page, '15');
  await commit(page);
  await done(page);
  await page.click('text=Void this sale');
  await accessible(page, 'void');
  await page.click('dialog >> text=Void sale');
  await says(page, 'Give back €15.00');
  check((await salesOf(page))[0].state === 'voided', 'the sale is not voided');
  await end(page);
}

export async function returnLines() {
  const page = await till();
  await page.keyboard.press('F3');
  await page.waitForSelector('input[name=find]');
  await page.focus('input[name=find]');
  await wedge(page, 'R-100');
  await page.waitForSelector('input[name=pieces-2]');
  await page.fill('input[name=pieces-2]', '1000000000');
  await says(page, 'Only 4 can be returned');
  check(await page.isDisabled('button:text-is("Return")'), 'too much can be returned');
  await page.fill('input[name=pieces-2]', '1');
  await picture(page, 'till-return-light');
  await accessible(page, 'return');
  await page.click('button:text-is("Return")');
  await says(page, 'Give back €5.00');
  const sale = await agent(page, `/v1/sales/${stage.goods}`);
  check(sale.state === 'returned_in_part' && sale.returned.refund === 500, JSON.stringify(sale));
  await end(page);
}

export async function closeDay() {
  const page = await till();
  await page.keyboard.press('F8');
  await page.waitForSelector('table');
  await picture(page, 'till-day-light');
  await page.click('text=Close this day');
  await page.fill('input[name=counted]', '10');
  await says(page, 'Difference to what was taken');
  await accessible(page, 'close');
  await page.click('dialog >> text=Close this day');
  await says(page, 'is closed. Entry');
  check((await agent(page, '/v1/days')).days.length === 1, 'the day is not closed');
  await end(page);
}

export async function newMember() {
  const page = await till();
  await page.keyboard.press('F4');
  await page.waitForSelector('.join img');
  check((await page.textContent('.address')) === stage.join, `the address is ${await page.textContent('.address')}`);
  await ask('public');
  await says(page, stage.public);
  check((await page.textContent('.address')) === stage.public, 'the address is not the public one');
  await page.click('text=Make a card');
  await says(page, 'Let the shopper scan this code');
  await accessible(page, 'new member');
  await picture(page, 'till-member-light');
  await page.click('text=Use it for this sale');
  await page.waitForSelector('input[name=amount]');
  await end(page);
}

export async function joinOnThePhone() {
  const page = await open(browser, { viewport: { width: 390, height: 844 } });
  await page.goto(stage.public);
  await page.waitForSelector('form input[type=email]');
  await end(page);
}
