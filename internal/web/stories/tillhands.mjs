// What the stories of the till's page do again and again.
import { faultless, launch, open, stage, wedge } from './browser.mjs';

export const browser = await launch();

/** till opens the page and waits until it can scan. */
export async function till(options, from = browser) {
  const page = await open(from, options);
  await page.goto(stage.till);
  await page.waitForSelector('input[name=code]');
  await page.waitForSelector('.bar .place');
  return page;
}

/** agent asks the till's agent with the session of the page. */
export const agent = (page, path) => page.evaluate((p) => fetch(p).then((r) => r.json()), path);
export const salesOf = async (page) => (await agent(page, '/v1/sales?limit=200')).sales;

/** amount types the amount of the basket. */
export async function amount(page, text) {
  await page.waitForSelector('input[name=amount]');
  await page.fill('input[name=amount]', text);
}
/** commit presses the big button when it can be pressed. */
export async function commit(page) {
  await page.waitForSelector('button.commit:enabled');
  await page.click('button.commit');
}
/** done waits until the sale is recorded. */
export async function done(page) {
  await page.waitForSelector('.done');
}
export const says = (page, text) => page.waitForSelector(`text=${text}`);

/** end closes the page, which must have logged no error. */
export async function end(page) {
  faultless(page);
  await page.context().close();
}

/** basketOf begins a sale to Kerem. */
export async function basketOf(page, text) {
  await wedge(page, stage.codes.Kerem);
  await says(page, 'Kerem');
  await amount(page, text);
}

/** expiring is what the card of a member says of so many points that expire soon. */
const expiring = {
  en: (n, day) => `${n} points expire ${day}`,
  tr: (n, day) => `${n} puan, ${day} tarihinde siliniyor`,
  pl: (n, day) => `${n} punktów wygaśnie ${day}`,
};

/** expires waits until the card of a member says so of so many points. */
export function expires(page, n, locale = 'en') {
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' }).format(new Date(stage.soon));
  return says(page, expiring[locale](n, day));
}
