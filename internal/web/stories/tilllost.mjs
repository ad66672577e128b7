// The stories in which an answer, the page or the agent is lost in the middle of a sale.
import { ask, check, picture, stage, wedge } from './browser.mjs';
import { basketOf, commit, done, end, salesOf, says, till } from './tillhands.mjs';

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

export async function killedAfterTheSale() {
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

export async function killedBeforeTheSale() {
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

export async function reloadedInTheSale() {
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

export async function doubleClick() {
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

export async function pageWithoutItsAgent() {
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
