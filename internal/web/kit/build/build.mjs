// Builds the pages into dist/<app>: types first, then each app into a fresh folder
// that replaces the old one only when the build went well and fits its budget.
// usage: node kit/build/build.mjs [app…]
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { checkBudget } from './budget.mjs';
import './types.mjs';

const web = fileURLToPath(new URL('../../', import.meta.url));
const apps = process.argv.length > 2 ? process.argv.slice(2) : ['till', 'card', 'console'];

for (const app of apps) {
  const fresh = `${web}node_modules/.built/${app}`;
  await rm(fresh, { recursive: true, force: true });
  await build({
    root: `${web}${app}`,
    configFile: `${web}${app}/vite.config.ts`,
    build: { outDir: fresh, emptyOutDir: true },
    logLevel: 'warn',
  });
  if (!existsSync(`${fresh}/index.html`)) throw new Error(`${app}: no index.html was built`);
  console.log(await checkBudget(app, fresh));
  await mkdir(`${web}dist`, { recursive: true });
  await rm(`${web}dist/${app}`, { recursive: true, force: true });
  await rename(fresh, `${web}dist/${app}`);
}
