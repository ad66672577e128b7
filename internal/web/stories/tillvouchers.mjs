// The story of vouchers at the till: a shopper shows nothing but the code of one that
// somebody gave away.
import { randomUUID } from 'node:crypto';
import { accessible, check, picture, stage, wedge } from './browser.mjs';
import { amount, commit, done, end, salesOf, says, till } from './tillhands.mjs';

async function call(method, path, headers, body) {
  const answer = await fetch(`${stage.hq}/api/v1${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID(), ...headers },
    body: body && JSON.stringify(body),
  });
  check(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer;
}
const office = async (path, body) =>
  (await call('POST', path, { Authorization: `Bearer ${stage.token}` }, body)).json();

/** giver is a shopper with vouchers to give away. */
async function giver() {
  const joined = await call('POST', '/card/join', {}, { name: 'Giver', locale: 'en' });
  const headers = { Cookie: joined.headers.get('set-cookie').split(';')[0], Origin: stage.hq };
  const { member } = await (await call('GET', '/card/me', headers)).json();
  return {
    member,
    /** gift gives a voucher, and returns what its receiver shows. */
    gift: async (terms = {}) => {
      const { id } = await office('/vouchers', { member, reward: stage.breakfast, ...terms });
      const { url } = await (await call('POST', `/card/vouchers/${id}/gift`, headers)).json();
      const secret = url.slice(url.lastIndexOf('/') + 1);
      return (await (await call('GET', `/card/gifts/${secret}`, {})).json()).code;
    },
  };
}

/**
 * read scans a code until the till has heard of it. The page takes one that it reads again
 * at once for the same scan, so each try waits longer than that.
 */
async function read(page, code, want) {
  for (let tries = 0; tries < 20; tries++) {
    await wedge(page, code);
    const said = page.getByText(want).first();
    try {
      await said.waitFor({ timeout: 2000 });
      return;
    } catch {
      // the feed takes its time
    }
  }
  await says(page, want);
}

const hours = (n) => new Date(Date.now() + n * 3_600_000).toISOString();

export async function giftedVoucher() {
  const one = await giver();
  const [good, second, later, short] = [
    await one.gift(),
    await one.gift(),
    await one.gift({ valid_from: hours(48) }),
    await one.gift({ valid_from: hours(-1), valid_to: new Date(Date.now() + 4_000).toISOString() }),
  ];
  const page = await till();
  await read(page, good, 'Voucher added');
  const tile = page.locator('.tile.voucher.on');
  await tile.waitFor();
  await page.waitForSelector('h1:has-text("Voucher without a card")');
  await says(page, '1 use left');
  await amount(page, '12.00');
  await page.waitForSelector('button.commit:enabled');
  await accessible(page, 'a voucher alone');
  await picture(page, 'till-voucher-light');
  await commit(page);
  await done(page);
  await picture(page, 'till-voucher-done-light');
  const [sale] = await salesOf(page);
  check(sale.to_pay < 1200 && sale.redeemed?.length === 1, `the sale is ${JSON.stringify(sale)}`);

  // Used up: nothing is added, and the cashier reads why.
  await read(page, good, 'This voucher has been used already.');
  check((await page.locator('.tile.voucher').count()) === 0, 'a voucher that is used up is offered');
  await picture(page, 'till-voucher-used-light');
  await read(page, later, 'This voucher is not valid yet.');
  await read(page, short, 'This voucher has expired.');
  // Beside somebody's own card: nothing of it joins that sale either.
  await wedge(page, stage.codes.Gabi);
  await page.waitForSelector('h1:has-text("Gabi")');
  await wedge(page, good);
  await says(page, 'This voucher has been used already.');
  check(
    (await page.locator('.tile.voucher.on').count()) === 0,
    'a voucher that is used up joined the sale of somebody else',
  );
  await page.keyboard.press('Escape');

  // Who gave it away is blocked, and with them what they gave.
  await office(`/members/${one.member}/block`);
  await read(page, second, 'This code is blocked.');
  await accessible(page, 'a blocked voucher');
  await picture(page, 'till-voucher-blocked-light');
  await end(page);
}
