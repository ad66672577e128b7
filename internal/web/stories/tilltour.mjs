// The till's views in every language and both themes: what axe says of them, and pictures.
import { accessible, check, picture, stage, wedge } from './browser.mjs';
import { amount, end, expires, till } from './tillhands.mjs';

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

export async function everybody() {
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

export async function dark() {
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
