// The shopper's card in a browser the size of a phone, against a real head office and a
// real lane that reads what the phone shows.
import { execFileSync } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessible, ask, check, faultless, launch, open, picture, stage, tell, timings } from './browser.mjs';

const phone = { width: 390, height: 844 };
const card = `${stage.hq}/card/`;
const agents = {
  iphone:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/27.0 Mobile/15E148 Safari/604.1',
  android:
    'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Mobile Safari/537.36',
};
const email = `defne-${Date.now()}@example.org`;
const browser = await launch();
const page = await open(browser, { viewport: phone });

/** office calls head office's API as its people do. */
async function office(method, path, body) {
  const response = await fetch(`${stage.hq}/api/v1${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${stage.token}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': randomUUID(),
    },
    body: body && JSON.stringify(body),
  });
  check(response.ok, `${method} ${path}: ${response.status}`);
  return response.json();
}

/** scan has the lane read a code, and returns its answer. */
async function scan(code) {
  const response = await fetch(`${stage.lane}/v1/scan`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${stage.laneToken}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ code }),
  });
  return response.json();
}

/** sell has the lane sell to whoever shows a code, and returns its answer. */
async function sell(request) {
  const response = await fetch(`${stage.lane}/v1/sales`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${stage.laneToken}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': randomUUID(),
    },
    body: JSON.stringify({ request }),
  });
  return response.json();
}

/** until waits for something that takes its time, such as the feed. */
async function until(what, holds) {
  for (let end = performance.now() + 15_000; performance.now() < end;) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  check(false, `this did not come: ${what}`);
}

/** newestLink is the address in the newest mail to somebody, at this head office. */
async function newestLink(to) {
  const { items } = await office('GET', '/mails');
  const text = items.find((mail) => mail.to === to)?.text ?? '';
  return card + text.match(/\/card\/(#\/open\/\S+)/)[1];
}

const shown = (on = page) => on.locator('[data-code]').first().getAttribute('data-code');
const me = (on = page) => on.evaluate(async () => (await fetch('/api/v1/card/me')).json());

/** codeOf is what a card shows at a moment, computed here from the key HQ gave (RFC 6238). */
function codeOf(of, unix) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(unix / 30)));
  const mac = createHmac('sha1', Buffer.from(of.code.keys[0].key, 'base64')).update(counter).digest();
  const number = (mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff) % 1e8;
  return `${of.code.text}${String(unix).padStart(10, '0')}${String(number).padStart(8, '0')}`;
}

let member;

await tell({
  'a-shopper-joins-at-the-till': async () => {
    await page.goto(`${stage.hq}/card?store=${stage.store}`);
    await page.getByRole('heading', { name: 'Get your card' }).waitFor();
    console.log('first paint and largest paint in ms:', JSON.stringify(await timings(page)));
    await accessible(page, 'join');
    await picture(page, 'card-join-light');
    await page.getByLabel('E-mail').first().fill('defne');
    await page.getByRole('button', { name: 'Get the card' }).click();
    await page.getByText('This is not an e-mail address.').waitFor();
    await page.getByLabel('Name at the till').fill('<b>Defne</b>');
    await page.getByLabel('E-mail').first().fill(email);
    await page.getByLabel('News and offers by e-mail').check();
    await page.getByRole('button', { name: 'Get the card' }).dblclick();
    await page.getByRole('heading', { name: 'Hello, <b>Defne</b>' }).waitFor();
    member = (await me()).member;
    const found = await office('GET', `/members?q=${encodeURIComponent('<b>Defne')}`);
    check(found.items.length === 1, `a double click made ${found.items.length} cards`);
  },

  'the-till-reads-the-code-from-the-screen': async () => {
    await until('the lane knows the shopper', async () => (await scan(await shown())).member === member);
    const answer = await scan(await shown());
    check(answer.freshness === 'rotating', `the lane says ${JSON.stringify(answer)}`);
    const folder = await mkdtemp(join(tmpdir(), 'card-'));
    try {
      const file = join(folder, 'code.png');
      await page.locator('[data-code]').first().screenshot({ path: file });
      const read = execFileSync('zbarimg', ['--quiet', '--raw', file]).toString().trim();
      check(read.startsWith((await me()).code.text), `zbar reads ${read}`);
    } finally {
      await rm(folder, { recursive: true });
    }
  },

  'an-iphone-is-offered-apple-wallet': async () => {
    const iphone = await open(browser, { viewport: phone, userAgent: agents.iphone });
    await iphone.context().addCookies(await page.context().cookies());
    await iphone.goto(card);
    const button = iphone.getByRole('link', { name: 'Add to Apple Wallet' });
    await button.waitFor();
    check((await iphone.getByText('Google').count()) === 0, 'an iPhone is offered Google Wallet');
    await iphone.getByText('a self-made authority').waitFor();
    await accessible(iphone, 'the card on an iPhone');
    await picture(iphone, 'card-iphone-light');
    const icon = await iphone.request.get(
      new URL(await iphone.getAttribute('link[rel=apple-touch-icon]', 'href'), iphone.url()).href,
    );
    const png = await icon.body();
    check(
      icon.headers()['content-type'] === 'image/png' && png.readUInt32BE(16) === 180,
      'the icon for the home screen is no PNG of 180 pixels',
    );
    const [saved] = await Promise.all([iphone.waitForEvent('download'), button.click()]);
    check(saved.suggestedFilename() === 'card.pkpass', `the file is called ${saved.suggestedFilename()}`);
    const says = await ask('read the pass', await saved.path());
    check(says.barcodes[0].message === (await me()).code.text, 'the pass shows another code');
    check(/self-made/i.test(JSON.stringify(says)), 'the pass does not say that it is self-made');
    faultless(iphone);
    await iphone.context().close();
  },

  'an-android-phone-is-offered-google-wallet': async () => {
    const android = await open(browser, { viewport: phone, userAgent: agents.android });
    await android.context().addCookies(await page.context().cookies());
    let link = '';
    await android.route('https://pay.google.com/**', (route) => {
      link = route.request().url();
      return route.fulfill({ contentType: 'text/html', body: '<title>Google Wallet</title>' });
    });
    await android.goto(card);
    await android.getByRole('button', { name: 'Add to Google Wallet' }).click();
    await until('the save link is opened', () => link !== '');
    const answer = await scan(await ask('save to the Google phone', link));
    check(answer.member === member && answer.freshness === 'rotating', `the lane says ${JSON.stringify(answer)}`);
    await android.context().close();
  },

  'a-voucher-is-given-away': async () => {
    await office('POST', '/vouchers', { member, reward: stage.breakfast });
    await page.goto(`${card}#/points`);
    await page.reload();
    await page.getByRole('button', { name: 'Give away' }).click();
    const address = await page.getByLabel('Send this address').inputValue();
    await accessible(page, 'a voucher to give away');
    const friend = await open(browser, { viewport: phone });
    await friend.goto(card + address.slice(address.indexOf('#')));
    await friend.locator('[data-code]').first().waitFor();
    await friend.getByText('1 use left').waitFor();
    await friend.getByRole('link', { name: 'Add to Apple Wallet' }).waitFor();
    await friend.getByRole('button', { name: 'Add to Google Wallet' }).waitFor();
    await accessible(friend, 'a present');
    await picture(friend, 'card-gift-light');
    // Who holds it uses it at the till, without a card of their own, and once.
    const code = await shown(friend);
    await until('the lane knows the voucher', async () => (await scan(code)).vouchers?.[0]?.left === 1);
    const given = await scan(code);
    check(given.kind === 'voucher' && !given.vouchers[0].refused, JSON.stringify(given));
    const basket = {
      code,
      currency: given.vouchers[0].currency,
      total: given.vouchers[0].discount,
      redeem: [{ voucher: given.vouchers[0].id }],
    };
    const sale = await sell(basket);
    check(sale.discount === basket.total && sale.to_pay === 0, JSON.stringify(sale));
    const again = await sell(basket);
    check(again.code === 'voucher_used', JSON.stringify(again));
    // What was given can be taken back: its address says so, and its code is refused.
    await office('POST', '/vouchers', { member, reward: stage.breakfast });
    await page.goto(`${card}#/points`);
    await page.reload();
    await page.getByRole('button', { name: 'Give away' }).click();
    const second = await page.getByLabel('Send this address').inputValue();
    await friend.goto(card + second.slice(second.indexOf('#')));
    await friend.reload();
    await friend.locator('[data-code]').first().waitFor();
    const taken = await shown(friend);
    await until('the lane knows the voucher', async () => (await scan(taken)).vouchers?.[0]?.left === 1);
    await page.reload(); // the card knows that it is given
    await page.getByRole('button', { name: 'Take back' }).click();
    await page.getByText('It is yours alone again.').waitFor();
    await accessible(page, 'a voucher taken back');
    await until('the lane refuses the code', async () => (await scan(taken)).code === 'code_outdated');
    await friend.reload();
    await friend.getByText('Whoever gave you this voucher has taken it back.').waitFor();
    const forged = address.slice(address.indexOf('#'), -1) + (address.endsWith('A') ? 'B' : 'A');
    await friend.goto(card + forged);
    await friend.reload();
    await friend.getByText('This voucher is not good any more.').waitFor();
    faultless(friend);
    await friend.context().close();
    await page.goto(`${card}#/code`);
    await page.locator('[data-code]').first().waitFor();
  },

  'a-screenshot-ages-out': async () => {
    const old = codeOf(await me(), Math.floor(Date.now() / 1000) - 120);
    const answer = await scan(old);
    check(answer.code === 'code_stale', `a code two minutes old: ${JSON.stringify(answer)}`);
  },

  'points-rewards-and-history': async () => {
    await office('POST', `/members/${member}/adjustments`, {
      unit: 'points',
      amount: 260,
      reason: 'goodwill',
      expires_at: new Date(Date.now() + 90 * 86_400_000).toISOString(),
    });
    await page.reload();
    await page.getByRole('link', { name: 'Points', exact: true }).click();
    await page.getByText('260 on ').waitFor();
    await page.getByText(stage.reward).waitFor();
    await accessible(page, 'points');
    await picture(page, 'card-points-light');
    await page.getByRole('link', { name: 'History', exact: true }).click();
    await page.getByText('+260 points').waitFor();
    await accessible(page, 'history');
    await picture(page, 'card-history-light');
  },

  'without-network-a-week-later': async () => {
    await page.getByRole('link', { name: 'Card', exact: true }).click();
    await page.evaluate(() => navigator.serviceWorker.ready);
    const before = await me();
    const away = await open(browser, { viewport: phone });
    await away.context().addCookies(await page.context().cookies());
    await away.goto(card);
    await away.evaluate(() => navigator.serviceWorker.ready);
    await away.locator('[data-code]').first().waitFor();
    await away.reload(); // now the worker keeps the page
    await away.locator('[data-code]').first().waitFor();
    await away.context().setOffline(true);
    const week = Date.now() + 7 * 86_400_000;
    await away.clock.setFixedTime(week);
    await away.reload();
    await away.locator('[data-code]').first().waitFor();
    await away.getByText('Last online 7 days ago').waitFor();
    const text = await shown(away);
    const unix = Number(text.slice(141, 151));
    check(Math.abs(unix - week / 1000) < 120, `the code is of ${new Date(unix * 1000).toISOString()}`);
    check(text === codeOf(before, unix), 'the code is not the one HQ and the tills compute');
    await away.clock.setFixedTime(week + 31_000);
    await until('a new code', async () => (await shown(away)) !== text);
    await accessible(away, 'offline');
    await picture(away, 'card-offline-light');
    await away.getByRole('link', { name: 'Points', exact: true }).click();
    await away.getByText('260', { exact: true }).waitFor();
    await away.getByRole('link', { name: 'History', exact: true }).click();
    await away.getByText('The history needs the network.').waitFor();
    faultless(away);
    await away.context().close();
  },

  'a-lost-phone': async () => {
    const laptop = await open(browser, { viewport: phone });
    await laptop.goto(await newestLink(email));
    await laptop.getByRole('button', { name: 'Open my card here' }).click();
    await laptop.locator('[data-code]').first().waitFor();
    check((await me(laptop)).email_state === 'confirmed', 'the address is not confirmed');
    await laptop.context().close();

    const fresh = await open(browser, { viewport: phone });
    await fresh.goto(card);
    await fresh.getByLabel('E-mail').last().fill(email);
    await fresh.getByRole('button', { name: 'Mail me the link' }).click();
    await fresh.getByText('If this address has a card').waitFor();
    const link = await newestLink(email);
    const stolen = (await me()).code.text;
    check((await scan(stolen)).member === member, 'the code is not good before the loss');
    await fresh.goto(link);
    await accessible(fresh, 'a link from a mail');
    await fresh.getByRole('button', { name: 'Open my card here' }).click();
    await fresh.locator('[data-code]').first().waitFor();
    check(!fresh.url().includes('open'), 'the secret of the link stays in the address');
    check((await me(fresh)).member === member, 'another card was opened');
    await until('the lane refuses the lost phone', async () => (await scan(stolen)).code === 'code_outdated');
    const found = await scan(await shown(fresh));
    check(found.member === member, `the owner's new code: ${JSON.stringify(found)}`);
    const again = await open(browser, { viewport: phone });
    await again.goto(link);
    await again.getByRole('button', { name: 'Open my card here' }).click();
    await again.getByText('This link was used or is too old.').waitFor();
    await again.context().close();

    await page.reload();
    await page.getByText('This phone no longer shows a card').waitFor();
    await page.context().clearCookies();
    await page.context().addCookies(await fresh.context().cookies());
    await page.reload();
    await page.locator('[data-code]').first().waitFor();
    await fresh.context().close();
  },

  'what-the-shopper-changes': async () => {
    await page.getByRole('link', { name: 'Me', exact: true }).click();
    await page.getByLabel('Name at the till').fill('Defne');
    await page.getByLabel('Phone', { exact: true }).fill('12');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Write it with + and the country code.').waitFor();
    await page.getByLabel('Phone', { exact: true }).fill('+90 532 000 00 00');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    check((await me()).name === 'Defne', 'the name was not changed');
    await page.getByLabel('News and offers by e-mail').uncheck();
    await until('the consent is taken back', async () => !(await me()).consents[0].given);
    await page.getByLabel('Code on the receipt').fill('WIFI:S:shop;T:WPA;P:secret;;');
    await page.getByRole('button', { name: 'Get the points' }).click();
    await page.getByText('This is not the code of a receipt.').waitFor();
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download everything' }).click(),
    ]);
    check(
      (await saved.createReadStream().then((s) => s.toArray())).join('').includes(email),
      'the export misses the address',
    );
  },

  'every-page-in-every-language-and-both-themes': async () => {
    const words = { en: 'Your card', tr: 'Kartınız', pl: 'Twoja karta' };
    for (const [locale, name] of Object.entries(words)) {
      for (const theme of ['light', 'dark']) {
        const other = await open(browser, { viewport: phone, locale, theme });
        await other.context().addCookies(await page.context().cookies());
        for (const tab of ['code', 'points', 'history', 'me']) {
          await other.goto(`${card}#/${tab}`);
          await other.getByRole('navigation', { name }).waitFor();
          await other.locator('h1').waitFor();
          if (tab === 'history') await other.locator('li').first().waitFor();
          const wide = await other.evaluate(() => document.documentElement.scrollWidth > innerWidth);
          check(!wide, `${tab} in ${locale} is wider than the phone`);
          await accessible(other, `${tab} in ${locale}, ${theme}`);
          await picture(other, `card-${tab}-${locale}-${theme}`);
        }
        faultless(other);
        await other.context().close();
      }
    }
  },

  leaving: async () => {
    const code = (await me()).code.text;
    await page.goto(`${card}#/me`);
    await page.getByRole('button', { name: 'Leave the programme' }).click();
    const leave = page.getByRole('dialog').getByRole('button', { name: 'Leave the programme' });
    check(await leave.isDisabled(), 'one press is enough to leave');
    await accessible(page, 'leaving');
    await page.getByLabel('Type LEAVE to leave.').fill('LEAVE');
    await leave.click();
    await page.getByRole('heading', { name: 'Get your card' }).waitFor();
    await until('the lane refuses the code', async () => (await scan(code)).code === 'code_blocked');
    await page.reload();
    await page.getByRole('heading', { name: 'Get your card' }).waitFor();
    faultless(page);
  },
});
