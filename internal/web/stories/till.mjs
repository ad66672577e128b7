// The stories of the till's page. The Go test TestTillPage sets the stage and runs them.
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { accessible, ask, check, launch, open, picture, stage, tell, timings, wedge } from './browser.mjs';
import { film } from './film.mjs';
import { agent, amount, basketOf, browser, commit, done, end, salesOf, says, till } from './tillhands.mjs';

// ---------------------------------------------------------------- sales

async function wedgeSale() {
  const page = await till();
  const { first, largest } = await timings(page);
  console.log(`till: first paint ${first} ms, largest part ${largest} ms`);
  const before = (await salesOf(page)).length;
  const began = Date.now();
  await wedge(page, stage.codes.Gabi);
  await says(page, 'Gabi');
  console.log(`till: scan to member on screen ${Date.now() - began} ms`);
  await amount(page, '23.40');
  // Two touches: the reward and the button. The receipt's number is scanned beside them.
  await page.click(`.tile:has-text("${stage.coffee}") button.main`);
  await page.focus('input[name=receipt]');
  await wedge(page, 'REG-000123');
  check((await page.inputValue('input[name=receipt]')) === 'REG-000123', 'the receipt number was not taken');
  await says(page, '€20.40');
  await picture(page, 'till-sale-light');
  await commit(page);
  await done(page);
  await says(page, 'Take €3.00 off at the register');
  await says(page, 'Collect €20.40');
  await picture(page, 'till-done-light');
  const sales = await salesOf(page);
  check(sales.length === before + 1, `${sales.length - before} sales were made`);
  check(sales[0].to_pay === 2040 && sales[0].pos_receipt === 'REG-000123', JSON.stringify(sales[0]));
  await page.keyboard.press('Enter');
  await says(page, 'Scan the shopper');
  await end(page);
}

async function cashlessHands() {
  const page = await till();
  await page.click('text=No card');
  await page.waitForSelector('input[name=amount]');
  for (const key of ['1', '2', '.', '5', '0']) await page.click(`.pad button:text-is("${key}")`);
  await page.keyboard.press('Enter');
  await page.waitForSelector('button.commit:enabled');
  await page.focus('button.commit');
  await page.keyboard.press('Enter');
  await done(page);
  await says(page, 'Collect €12.50');
  await end(page);
}

async function receiptNeeded() {
  await ask('numbers');
  for (const [locale, sentence] of [
    ['tr', 'Bu mağazada fiş numarası gerekli.'],
    ['pl', 'W tym sklepie potrzebny jest numer paragonu.'],
    ['en', 'This store needs the receipt number.'],
  ]) {
    const page = await till({ locale });
    await basketOf(page, '17');
    // Enter leads to the number, and the button stays shut until it is there.
    await page.keyboard.press('Enter');
    await page.waitForSelector('input[name=receipt]:focus');
    await page.waitForSelector('.needed');
    check(await page.isDisabled('button.commit'), 'a sale without its number can be made');
    await page.keyboard.press('Enter');
    await page.waitForSelector(`.error:has-text("${sentence}")`);
    await accessible(page, `receipt needed in ${locale}`);
    await picture(page, `till-receipt-light-${locale}`);
    await wedge(page, `REG-${locale}`);
    await commit(page);
    await done(page);
    check((await salesOf(page))[0].pos_receipt === `REG-${locale}`, 'the sale has not its number');
    await end(page);
  }
  await ask('no-numbers');
}

async function cameraSale() {
  const file = `${tmpdir()}/tallystick-${process.pid}.y4m`;
  await film(file, stage.codes.Kerem);
  const camera = await launch([
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-video-capture=${file}`,
  ]);
  try {
    const page = await till({ permissions: ['camera'] }, camera);
    const began = Date.now();
    await page.click('button[aria-label="Use the camera"]');
    await says(page, 'Kerem');
    console.log(`till: camera to member on screen ${Date.now() - began} ms`);
    await amount(page, '5');
    await commit(page);
    await done(page);
    await end(page);
  } finally {
    await camera.close();
    await rm(file, { force: true });
  }
}

/** expiring is what the card of a member says of so many points that expire soon. */
const expiring = {
  en: (n, day) => `${n} points expire ${day}`,
  tr: (n, day) => `${n} puan, ${day} tarihinde siliniyor`,
  pl: (n, day) => `${n} punktów wygaśnie ${day}`,
};

function expires(page, n, locale = 'en') {
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' }).format(new Date(stage.soon));
  return says(page, expiring[locale](n, day));
}

async function offlineSale() {
  const page = await till();
  await ask('drained');
  await ask('hq-down');
  await page.waitForSelector('.bar .state:has-text("Offline")');
  await wedge(page, stage.codes.Zofia);
  await expires(page, 300);
  await amount(page, '8');
  await page.click(`.tile:has-text("${stage.coffee}") button.main`);
  await commit(page);
  await done(page);
  await says(page, '1 entry waiting');
  await picture(page, 'till-offline-light');
  // What was redeemed is what expires first, and head office need not say so. The same
  // code so soon again would be the same scan.
  await wedge(page, stage.codes.Gabi);
  await says(page, 'Gabi');
  await wedge(page, stage.codes.Zofia);
  await expires(page, 100);
  await ask('hq-up');
  await page.waitForSelector('.bar .state:has-text("Online")');
  await says(page, 'Nothing waiting');
  await end(page);
}

// ---------------------------------------------------------------- nothing lost, nothing doubled

/** loseAnswer has the agent answer the next commit while the page hears nothing of it. */
function loseAnswer(page, then) {
  return page.route(
    '**/v1/sales',
    async (route) => {
      if (route.request().method() !== 'POST') return route.fallback();
      await route.fetch();
      await then();
      return route.abort();
    },
    { times: 1 },
  );
}

async function killedAfterTheSale() {
  const page = await till();
  const before = (await salesOf(page)).length;
  await basketOf(page, '11');
  await loseAnswer(page, () => ask('kill'));
  await commit(page);
  await says(page, 'Do not sell again yet');
  await picture(page, 'till-unknown-light');
  await ask('start');
  await done(page);
  check((await salesOf(page)).length === before + 1, 'the sale is not there once');
  await end(page);
}

async function killedBeforeTheSale() {
  const page = await till();
  const before = (await salesOf(page)).length;
  await basketOf(page, '12');
  await page.waitForSelector('button.commit:enabled');
  await ask('kill');
  await page.click('button.commit');
  await says(page, 'Do not sell again yet');
  await ask('start');
  await says(page, 'has not recorded this sale');
  await wedge(page, stage.codes.Kerem);
  await says(page, 'Kerem');
  check((await page.inputValue('input[name=amount]')) === '12', 'the amount was lost');
  await commit(page);
  await done(page);
  check((await salesOf(page)).length === before + 1, 'the sale is not there once');
  await end(page);
}

async function reloadedInTheSale() {
  const page = await till();
  const before = (await salesOf(page)).length;
  await basketOf(page, '13');
  await loseAnswer(page, () => undefined);
  await page.waitForSelector('button.commit:enabled');
  const sent = page
    .waitForResponse((r) => r.url().endsWith('/v1/sales') && r.request().method() === 'POST')
    .catch(() => {});
  await page.click('button.commit', { noWaitAfter: true });
  await Promise.race([sent, page.waitForTimeout(1_000)]);
  await page.reload();
  await says(page, 'recorded before the page was closed');
  await says(page, 'Collect €13.00');
  check((await salesOf(page)).length === before + 1, 'the sale is not there once');
  await end(page);
}

async function doubleClick() {
  const page = await till();
  const before = (await salesOf(page)).length;
  await basketOf(page, '14');
  await page.waitForSelector('button.commit:enabled');
  await page.dblclick('button.commit');
  await done(page);
  await page.waitForTimeout(200);
  check((await salesOf(page)).length === before + 1, 'the sale is not there once');
  await end(page);
}

async function pageWithoutItsAgent() {
  const page = await till();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await ask('kill');
  await page.reload();
  await page.waitForSelector('.bar .state:has-text("Till not answering")');
  await wedge(page, stage.codes.Gabi);
  await says(page, 'The till is not answering');
  await ask('start');
  await page.waitForSelector('.bar .state:has-text("Online")');
  await wedge(page, stage.codes.Gabi);
  await says(page, 'Gabi');
  await end(page);
}

// ---------------------------------------------------------------- after the sale

async function voidSale() {
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

async function returnLines() {
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

async function closeDay() {
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

async function newMember() {
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

async function joinOnThePhone() {
  const page = await open(browser, { viewport: { width: 390, height: 844 } });
  await page.goto(stage.public);
  await page.waitForSelector('form input[type=email]');
  await end(page);
}

// ---------------------------------------------------------------- who stands there

async function pin(page, name, digits) {
  await page.click(`dialog[open] li button:has-text("${name}")`);
  await page.fill('input[name=pin]', digits);
  await page.keyboard.press('Enter');
}

async function cashiers() {
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

async function typedNumber() {
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

async function training() {
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

// ---------------------------------------------------------------- bad input

async function badScans() {
  const page = await till();
  for (const [code, sentence] of [
    ['M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 106>60000', 'not one of our codes'],
    ['https://example.com/a/very/long/address?with=parameters&and=more', 'not one of our codes'],
    ['WIFI:T:WPA;S:guests;P:welcome-to-our-shop-and-enjoy-it-very-much;;', 'not one of our codes'],
    [stage.codes.Gabi.slice(0, 70), 'Only part of the code was read'],
    ['<img src=x onerror=alert(1)><script>alert(2)</script>', 'not one of our codes'],
  ]) {
    await wedge(page, code);
    await says(page, sentence);
    check((await page.inputValue('input[name=code]')) === '', `${code} is left in the field`);
  }
  await picture(page, 'till-refused-light');
  // Two cards within a second: the second counts, once.
  await wedge(page, stage.codes.Gabi);
  await wedge(page, stage.codes.Kerem);
  await page.waitForSelector('h1:has-text("Kerem")');
  // A scan while the amount is being typed leaves the amount alone.
  await page.fill('input[name=amount]', '9.5');
  await page.focus('input[name=amount]');
  await wedge(page, stage.codes.Gabi);
  await page.waitForSelector('h1:has-text("Gabi")');
  check((await page.inputValue('input[name=amount]')) === '9.5', 'the scan fell into the amount');
  // A scanner set to another keyboard: capitals off.
  await page.keyboard.press('Escape');
  await wedge(page, stage.codes.Kerem.toLowerCase());
  await page.waitForSelector('h1:has-text("Kerem")');
  await end(page);
}

async function badText() {
  const page = await till();
  const html = '<img src=x onerror="document.title=1">';
  await wedge(page, stage.codes['Ada <b>x</b>']);
  await page.waitForSelector('h1:has-text("Ada <b>x</b>")');
  for (const [text, sentence] of [
    [html, 'This is not an amount'],
    ['1e9', 'This is not an amount'],
    ['0', 'more than zero'],
    ['99999999999999999999', 'too large'],
    ['1.2345', 'Too many digits'],
  ]) {
    await page.fill('input[name=amount]', text);
    await says(page, sentence);
    check(await page.isDisabled('button.commit'), `${text} can be sold`);
  }
  await page.fill('input[name=receipt]', html);
  await page.fill('input[name=amount]', '1');
  await commit(page);
  await done(page);
  await says(page, html);
  check((await page.locator('img[src=x]').count()) === 0, 'text became an element');
  await end(page);
}

// ---------------------------------------------------------------- for everybody

const views = {
  idle: async () => {},
  sale: async (page) => {
    await wedge(page, stage.codes.Gabi);
    await page.waitForSelector('.tile');
    await amount(page, '23');
    await page.waitForSelector('.pay');
  },
  sales: (page) => page.keyboard.press('F3').then(() => page.waitForSelector('ul[aria-busy=false] li')),
  opened: (page) => page.click('li button').then(() => page.waitForSelector('.facts')),
  elsewhere: async (page) => {
    await page.keyboard.press('F3');
    await page.click('form button[type=button]');
    await page.waitForSelector('input[name=refund]');
  },
  member: (page) => page.keyboard.press('F4').then(() => page.waitForSelector('h1')),
  day: (page) => page.keyboard.press('F8').then(() => page.waitForSelector('h1')),
  settings: (page) =>
    page.click('.rail button:not([aria-keyshortcuts])').then(() => page.waitForSelector('dialog[open]')),
  who: async (page) => {
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog[open]', { state: 'detached' });
    await page.keyboard.press('F9');
    await page.waitForSelector('dialog[open]');
  },
};

async function everybody() {
  for (const locale of ['en', 'tr', 'pl']) {
    const page = await till({ locale });
    check((await page.getAttribute('html', 'lang')) === locale, `the page is not in ${locale}`);
    for (const [name, show] of Object.entries(views)) {
      await show(page);
      if (name === 'sale') await expires(page, 100, locale);
      await accessible(page, `${name} in ${locale}`);
      await picture(page, `till-${name}-light-${locale}`);
    }
    await end(page);
  }
}

async function dark() {
  for (const locale of ['en', 'tr', 'pl']) {
    const page = await till({ theme: 'dark', locale });
    for (const [name, show] of Object.entries(views)) {
      await show(page);
      await accessible(page, `${name} in the dark in ${locale}`);
      if (locale === 'en') await picture(page, `till-${name}-dark-en`);
    }
    await end(page);
  }
}

await tell({
  wedgeSale,
  cashlessHands,
  receiptNeeded,
  cameraSale,
  offlineSale,
  killedAfterTheSale,
  killedBeforeTheSale,
  reloadedInTheSale,
  doubleClick,
  pageWithoutItsAgent,
  voidSale,
  returnLines,
  newMember,
  joinOnThePhone,
  badScans,
  badText,
  everybody,
  dark,
  closeDay,
  cashiers,
  typedNumber,
  training,
});
