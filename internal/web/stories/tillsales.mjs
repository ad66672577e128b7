// The stories of sales at the till: with a scanner, hands, a camera, and without head office.
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { accessible, ask, check, launch, picture, stage, timings, wedge } from './browser.mjs';
import { film } from './film.mjs';
import { amount, basketOf, commit, done, end, expires, salesOf, says, till } from './tillhands.mjs';

export async function wedgeSale() {
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

export async function cashlessHands() {
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

export async function receiptNeeded() {
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

export async function cameraSale() {
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

export async function offlineSale() {
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
