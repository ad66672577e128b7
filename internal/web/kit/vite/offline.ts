// A Vite plugin that writes sw.js: the worker of src/offline/worker.ts with the exact
// list of files of this build and a version made of their contents.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transformWithOxc, type Plugin } from 'vite';

export interface OfflineOptions {
  /** Which built files are kept for offline use; missing: all but source maps. */
  keep?: (file: string) => boolean;
}

const source = fileURLToPath(new URL('../src/offline/worker.ts', import.meta.url));

/** offline adds sw.js to the build of an app. */
export function offline(app: string, options: OfflineOptions): Plugin {
  const keep = options.keep ?? ((file) => !file.endsWith('.map'));
  return {
    name: 'tallystick-offline',
    apply: 'build',
    enforce: 'post',
    async generateBundle(_, bundle) {
      const hash = createHash('sha256');
      const files: string[] = [];
      for (const file of Object.keys(bundle).sort()) {
        const part = bundle[file]!;
        hash.update(file).update(part.type === 'chunk' ? part.code : part.source);
        if (keep(file) && file !== 'index.html') files.push(`/${app}/${file}`);
      }
      const worker = await readFile(source, 'utf8');
      hash.update(worker);
      const head =
        `const APP = ${JSON.stringify(app)};` +
        `const VERSION = ${JSON.stringify(hash.digest('hex').slice(0, 16))};` +
        `const FILES = ${JSON.stringify([`/${app}/`, ...files])};\n`;
      const { code } = await transformWithOxc(worker.replace(/^declare const .*$/gm, ''), source, { lang: 'ts' });
      this.emitFile({ type: 'asset', fileName: 'sw.js', source: head + code.replace(/^export \{\};?$/m, '') });
    },
  };
}
