// The console's stories of how passes look.
import { deflateSync } from 'node:zlib';
import { check, picture, stage } from './browser.mjs';
import { accessibleInBoth, page, visit } from './consolehands.mjs';

/** png is a picture of one colour. */
function png(width, height, [r, g, b]) {
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, Buffer.from([r, g, b]))]);
  const chunk = (name, data) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const out = Buffer.alloc(12 + data.length);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), 8 + data.length);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(Buffer.concat(Array(height).fill(row)))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function crc32(bytes) {
  let c = ~0;
  for (const byte of bytes) {
    c ^= byte;
    for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0);
  }
  return ~c >>> 0;
}

export const branding = {
  'a look is changed, warned of, and put in force': async () => {
    await visit('/audit');
    await page.getByRole('link', { name: 'Branding', exact: true }).click();
    const preview = page.locator('figure').filter({ hasText: 'iPhone, front' });
    const strip = preview.locator('img.strip');
    await strip.waitFor();
    const colour = page.getByRole('textbox', { name: 'Text', exact: true });
    await colour.fill('#1f6b57');
    await page.locator('[data-warning=foreground_contrast]').waitFor();
    // Not the preview: it shows what is warned of.
    await accessibleInBoth('a look with a warning', { within: '.sheet' });
    await picture(page, 'console-branding-warning');
    await colour.fill('#ffffff');
    await page.locator('[data-warning=foreground_contrast]').waitFor({ state: 'detached' });
    await page.getByRole('textbox', { name: 'Background', exact: true }).fill('#5b2333');
    await page.getByLabel('Programme', { exact: true }).fill('Çay & Łódź');
    await page.getByLabel('Draw a stamp card across the card').check();
    await page.getByLabel('Stamps that fill it').fill('8');
    await page.waitForFunction(() => {
      const img = document.querySelector('img.strip');
      return img?.src.includes('goal=8') && img.src.includes('5b2333') && img.complete && img.naturalWidth === 1125;
    });
    await page.getByLabel('Website').fill('http://shop.example');
    await page.getByText('must be an address that begins with https://').first().waitFor();
    check(await page.getByRole('button', { name: 'Put in force' }).isDisabled(), 'a look that is refused can be sent');
    await page.getByLabel('Website').fill('https://shop.example');
    await page.getByText('There are changes that are not in force yet.').waitFor();
  },

  'pictures are uploaded, or refused with a reason': async () => {
    const logo = page.getByRole('group', { name: 'Logo' });
    const give = (name, body, mimeType = 'image/png') =>
      logo.locator('input[type=file]').setInputFiles({ name, mimeType, buffer: body });
    await give('huge.png', Buffer.alloc(6 << 20));
    await logo.getByText('The file has 6 MB; at most 5 MB are taken.').waitFor();
    await give('x.gif', Buffer.from('GIF89a'), 'image/gif');
    await logo.getByText('This is neither PNG nor JPEG.').waitFor();
    await give('torn.png', png(300, 100, [200, 30, 30]).subarray(0, 60));
    await logo.getByText('the picture is damaged or cut short').waitFor();
    await give('logo.png', png(480, 150, [255, 240, 200]));
    await logo.getByText('480 × 150 pixels').waitFor();
    await page.waitForFunction(() => document.querySelector('img.logo')?.src.includes('logo='));
  },

  'nobody leaves changes behind by a wrong click': async () => {
    let asked = 0;
    const answer = (accept) => page.once('dialog', (d) => (asked++, accept ? d.accept() : d.dismiss()));
    answer(false);
    await page.getByRole('link', { name: 'Policy', exact: true }).click();
    answer(false);
    await page.evaluate(() => history.back());
    await page.waitForFunction(() => location.pathname === '/console/branding');
    for (let tries = 0; asked < 2 && tries < 50; tries++) await page.waitForTimeout(100);
    check(asked === 2, `it was asked ${asked} times`);
    check(
      (await page.getByLabel('Programme', { exact: true }).inputValue()) === 'Çay & Łódź',
      'what was typed is gone',
    );
    await page.getByRole('button', { name: 'Put in force' }).press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Put in force' }).press('Enter');
    await page.getByText('Version 1 is in force. The phones are told.').first().waitFor();
    await page.getByText(`set by ${stage.name}`, { exact: false }).waitFor();
    await page.mouse.move(0, 0);
    await picture(page, 'console-branding');
    const hero = await fetch(`${stage.hq}/wallet/pictures/1/hero-3.png`);
    check(hero.ok && hero.headers.get('content-type') === 'image/png', `Google gets ${hero.status}`);
    await page.reload();
    check((await page.getByLabel('Programme', { exact: true }).inputValue()) === 'Çay & Łódź', 'the look is not kept');
  },
};
