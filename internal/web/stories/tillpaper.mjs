// The stories of the till's page about paper: receipts that are printed, and receipts that
// are claimed. The Go test TestTillPaperPage sets the stage, with a printer, and runs them.
import { accessible, ask, check, picture, stage, tell, wedge } from './browser.mjs';
import { amount, basketOf, commit, done, end, salesOf, says, till } from './tillhands.mjs';

/** bare sells to somebody without a card. */
async function bare(page, text) {
  await page.click('.without');
  await amount(page, text);
  await commit(page);
  await done(page);
}

async function printed() {
  const page = await till();
  await basketOf(page, '18.25');
  await commit(page);
  await done(page);
  await page.click('text=Print receipt');
  await says(page, 'The receipt was sent to the printer');
  await ask('original');
  // The same receipt from the list, where it is a copy.
  await page.keyboard.press('F3');
  await page.click('ul[aria-busy=false] li button');
  await page.waitForSelector('.facts');
  await page.click('text=Print receipt');
  await ask('copy');
  await end(page);
}

async function printedInPolish() {
  const page = await till({ locale: 'pl' });
  await basketOf(page, '18,25');
  await commit(page);
  await done(page);
  await page.click('text=Drukuj paragon');
  await ask('polish');
  await end(page);
}

async function printerOutOfPaper() {
  await ask('no-paper');
  const page = await till();
  await basketOf(page, '19');
  await commit(page);
  await done(page);
  await page.click('text=Print receipt');
  await page.waitForSelector('[role=alert].wrong');
  await accessible(page, 'a receipt not printed');
  // The sale stands, printed or not.
  check((await salesOf(page))[0].to_pay === 1900, 'the sale is not there');
  await end(page);
}

async function claimed() {
  const page = await till();
  await bare(page, '40');
  await page.waitForSelector('.done figure img');
  await picture(page, 'till-claimable-light');
  await accessible(page, 'a sale that can be claimed');
  const { claim } = (await salesOf(page))[0];
  await end(page);
  for (const locale of ['tr', 'pl', 'en']) {
    const again = await till({ locale });
    await wedge(again, claim.code);
    await again.waitForSelector('.view h1');
    await accessible(again, `claim in ${locale}`);
    await picture(again, `till-claim-light-${locale}`);
    if (locale === 'en') await claimBy(again, claim.code);
    await end(again);
  }
  await ask('claimed');
}

async function claimBy(page, receipt) {
  await says(page, 'Now scan the card');
  // The receipt again is not a card, and no harm.
  await wedge(page, receipt);
  await wedge(page, stage.codes.Gabi);
  await says(page, 'The receipt was taken in');
  await says(page, 'Scan the shopper');
}

await tell({ printed, printedInPolish, claimed, printerOutOfPaper });
