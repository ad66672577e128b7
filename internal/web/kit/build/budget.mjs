// The bundle budgets: what a page may load before anybody asks for more. Chunks
// that are imported lazily (the camera's decoder, the console's charts) are not in it.
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

/** kilobytes (1000 bytes) of JavaScript after gzip, per app */
const budgets = { till: 40, card: 40, console: 110 };

/** checkBudget reads the entry script and what it imports statically, and throws when that is too much. */
export async function checkBudget(app, folder) {
  const html = await readFile(`${folder}/index.html`, 'utf8');
  const loaded = new Set();
  const queue = [...html.matchAll(/(?:src|href)="[^"]*\/(assets\/[^"]+\.js)"/g)].map((m) => m[1]);
  let bytes = 0;
  while (queue.length > 0) {
    const name = queue.pop();
    if (loaded.has(name)) continue;
    loaded.add(name);
    const source = await readFile(`${folder}/${name}`);
    bytes += gzipSync(source, { level: 9 }).length;
    for (const m of source.toString().matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g)) {
      queue.push(`assets/${m[1]}`);
    }
  }
  if (loaded.size === 0) throw new Error(`${app}: index.html loads no script`);
  const size = (bytes / 1000).toFixed(1);
  if (bytes > budgets[app] * 1000) {
    throw new Error(`${app}: ${size} kB of script after gzip, the budget is ${budgets[app]} kB`);
  }
  return `web: ${app} ${size} kB of script after gzip (budget ${budgets[app]})`;
}
