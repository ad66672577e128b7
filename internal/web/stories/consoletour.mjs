// The console's pages and dialogs in every language and both themes: what axe says of
// them, and pictures.
import { faultless, open, picture, stage } from './browser.mjs';
import { accessibleInBoth, browser, page, screen } from './consolehands.mjs';

const paths = [
  '',
  '/stores',
  '/terminals',
  '/days',
  '/settlement',
  '/members',
  '/journal',
  '/exceptions',
  '/exceptions/ageing',
  '/exceptions/rules',
  '/rewards',
  '/tiers',
  '/vouchers',
  '/passes',
  '/passes?view=pushes',
  '/passes?view=log',
  '/policy',
  '/branding',
  '/audit',
  '/mails',
  '/people',
];

/** Pages behind a row of a list: the list, and the link that leads on. */
const behind = {
  holder: ['/members', 'tbody a:has-text("Ann")'],
  store: ['/stores', 'tbody a[href^="/console/stores/"] >> nth=0'],
  member: ['/members', `tbody a:has-text("${stage.alias}")`],
  'own-entry': ['/journal?journal.by=hq', 'tbody a >> nth=0'],
  entry: ['/journal?entries.kind=sale', 'tbody a >> nth=0'],
  exception: ['/exceptions?exceptions.state=settled', 'tbody a >> nth=0'],
};

/** Dialogs: the page, and the button that opens each. */
const dialogs = {
  terminal: ['/terminals', '.head button'],
  lost: ['/terminals', 'tr:has-text("lane1") .row-deeds button >> nth=-1'],
  quarantine: ['/terminals', 'tr:has-text("lane2") .row-deeds button >> nth=1'],
  bulk: ['/exceptions', '.head button'],
  rule: ['/exceptions/rules', '.head button'],
  person: ['/people', '.head button'],
  party: ['/settlement', '.line button >> nth=0'],
  password: ['/people', '.row-deeds button >> nth=0'],
  reward: ['/rewards', '.head button'],
  void: ['/passes', '.row-deeds button >> nth=-1'],
  mail: ['/mails', 'tbody button >> nth=0'],
  voucher: ['/vouchers', '.head button'],
};

async function settled(on) {
  await on.locator('h1').waitFor();
  await on.waitForFunction(() => !document.querySelector('[aria-busy=true]'));
  await on.waitForLoadState('domcontentloaded');
  await on.waitForFunction(
    () => !document.querySelector('.chart') || document.querySelectorAll('.chart canvas').length > 0,
  );
}

/** speak has a page change its language, also under an open dialog. */
const speak = (on, locale) =>
  on
    .locator('.settings select')
    .first()
    .evaluate((select, value) => {
      select.value = value;
      select.dispatchEvent(new Event('change', { bubbles: true }));
    }, locale);

/** look has axe look at what a page shows, or a part of it, in each language and theme. */
async function look(on, what, { name, within } = {}) {
  for (const locale of ['tr', 'pl', 'en']) {
    await speak(on, locale);
    await on.locator(`html[lang=${locale}]`).waitFor();
    const each = (theme) => locale === 'en' && name && picture(on, `console-${name}-${theme}`);
    await accessibleInBoth(`${what}, ${locale}`, { on, within, each });
  }
}

export const tour = {
  'every page and dialog, in every language and theme': async () => {
    const { cookies } = await page.context().storageState();
    const on = await open(browser, { viewport: screen });
    const visit = async (path) => {
      await on.goto(`${stage.hq}/console${path}`);
      await settled(on);
    };
    await on.goto(`${stage.hq}/console`);
    await on.locator('form').waitFor();
    await look(on, 'sign in', { name: 'sign-in' });
    await on.context().addCookies(cookies);
    for (const path of paths) {
      await visit(path);
      await look(on, path || '/', {
        name: path.includes('?') ? undefined : path.slice(1).replaceAll('/', '-') || 'home',
      });
    }
    for (const [name, [path, link]] of Object.entries(behind)) {
      await visit(path);
      await on.locator(link).click();
      await on.locator('.back').waitFor();
      await settled(on);
      await look(on, `one ${name}`, { name });
    }
    for (const [name, [path, button]] of Object.entries(dialogs)) {
      await visit(path);
      await on.locator(button).first().click();
      await on.locator('dialog[open]').waitFor();
      await on.locator('dialog[open] [aria-busy=true]').waitFor({ state: 'detached' });
      await look(on, `dialog ${name}`, { within: 'dialog[open]' });
    }
    faultless(on);
    await on.context().close();
  },
};
