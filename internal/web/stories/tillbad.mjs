// The stories of codes and texts that are not what they should be.
import { check, picture, stage, wedge } from './browser.mjs';
import { commit, done, end, says, till } from './tillhands.mjs';

export async function badScans() {
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

export async function badText() {
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
