// What all stories in a browser stand on: the machine's Chromium, accessibility checks,
// pictures, and a line to the Go test that started the processes. README.md has more.
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The size of the screen that the till must fit. */
export const tillScreen = { width: 1024, height: 768 };

/** stage is what the Go test passed: addresses, codes, folders. */
export const stage = JSON.parse(process.env.TALLYSTICK_STAGE ?? '{}');

/** launch starts Chromium. `args` are further flags, such as those of the fake camera. */
export function launch(args = []) {
  const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
  if (!path) throw new Error('no Chromium: run make deps');
  return chromium.launch({
    executablePath: path,
    args: [
      // Only root cannot have the sandbox.
      ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  });
}

const pages = new Set();

/** open makes a page of its own, in a language and a theme. What the page logs as an error fails the story. */
export async function open(browser, { locale = 'en', theme = 'light', viewport = tillScreen, ...more } = {}) {
  const context = await browser.newContext({ locale, colorScheme: theme, viewport, reducedMotion: 'reduce', ...more });
  const page = await context.newPage();
  pages.add(page);
  page.on('close', () => pages.delete(page));
  page.faults = [];
  page.on('pageerror', (err) => page.faults.push(String(err)));
  page.on('console', (m) => {
    // A refused or failed call is the story's business; the browser logs it by itself.
    if (m.type() === 'error' && !m.text().startsWith('Failed to load resource')) page.faults.push(m.text());
  });
  return page;
}

/** check fails the story unless it holds. */
export function check(holds, what) {
  if (!holds) throw new Error(what);
}

/** faultless fails the story when the page has logged an error, such as a breach of its content security policy. */
export function faultless(page) {
  check(page.faults.length === 0, `the page logged: ${page.faults.join('\n')}`);
}

/**
 * accessible runs axe-core on what the page shows now; any violation fails the story.
 * `within` is a part of the page to look at, `rules` those to check; missing, all of both.
 */
export async function accessible(page, what, { within, rules } = {}) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axeSource);
  const { violations } = await page.evaluate(
    ([part, only]) =>
      globalThis.axe.run(part ?? document, {
        resultTypes: ['violations'],
        preload: false,
        ...(only && { runOnly: only }),
      }),
    [within, rules],
  );
  check(
    violations.length === 0,
    `${what}: ${violations.map((v) => `${v.id}: ${v.help}\n${v.nodes.map((n) => `  ${n.html}\n  ${n.failureSummary}`).join('\n')}`).join('\n')}`,
  );
}

/** picture writes a picture of the page into the folder of screenshots. */
export async function picture(page, name) {
  if (!stage.screenshots) return;
  await mkdir(stage.screenshots, { recursive: true });
  await page.screenshot({ path: `${stage.screenshots}/${name}.png` });
}

/**
 * wedge types a code as a keyboard scanner does, a key every four milliseconds. The
 * keys carry their times, so that a busy machine does not turn the scanner into a person.
 */
export async function wedge(page, code, suffix = 'Enter') {
  const session = await page.context().newCDPSession(page);
  let at = Date.now() / 1000;
  const press = (key, more) => {
    at += 0.004;
    const down = { type: more.text ? 'keyDown' : 'rawKeyDown', key, timestamp: at, ...more };
    return [
      session.send('Input.dispatchKeyEvent', down),
      session.send('Input.dispatchKeyEvent', { ...down, type: 'keyUp' }),
    ];
  };
  const keys = [...code].flatMap((key) => press(key, { text: key }));
  if (suffix === 'Enter') keys.push(...press('Enter', { text: '\r', code: 'Enter', windowsVirtualKeyCode: 13 }));
  await Promise.all(keys);
  await session.detach();
}

/** timings are the milliseconds until the page had painted first, and until its largest part was there. */
export async function timings(page) {
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        const first = performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0;
        new PerformanceObserver((list) =>
          resolve({ first: Math.round(first), largest: Math.round(list.getEntries().at(-1).startTime) }),
        ).observe({ type: 'largest-contentful-paint', buffered: true });
        setTimeout(() => resolve({ first: Math.round(first), largest: 0 }), 2_000);
      }),
  );
}

const replies = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/**
 * ask has the Go test do something to the stage, such as kill the agent, or look up
 * something about `about`, waits until it is done, and returns what came of it.
 */
export async function ask(name, about = '') {
  process.stdout.write(`@ask ${JSON.stringify({ name, about })}\n`);
  const { value } = await replies.next();
  const reply = JSON.parse(value ?? '{"error":"the stage is gone"}');
  if (reply.error) throw new Error(`${name}: ${reply.error}`);
  return reply.result;
}

/** tell runs the stories one after the other, says how long each took, and ends the process. */
export async function tell(stories) {
  const only = process.env.STORY;
  let failed = false;
  for (const [title, story] of Object.entries(stories)) {
    const name = title.replaceAll(' ', '-');
    if (only && !only.split(',').some((part) => name.includes(part))) continue;
    const began = performance.now();
    try {
      await story();
      console.log(`@ok ${name} ${Math.round(performance.now() - began)}`);
    } catch (err) {
      failed = true;
      for (const page of pages) {
        await picture(page, `failed-${name}`).catch(() => {});
        await page.context().close();
      }
      console.log(`@failed ${name} ${JSON.stringify(err instanceof Error ? (err.stack ?? err.message) : String(err))}`);
    }
  }
  process.exit(failed ? 1 : 0);
}
