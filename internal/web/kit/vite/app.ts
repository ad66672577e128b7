// One Vite configuration for all pages, so that they are built and served alike.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type UserConfig } from 'vite';
import { icons } from './icons.ts';
import { offline, type OfflineOptions } from './offline.ts';

export type AppName = 'till' | 'card' | 'console';

export interface AppOptions {
  /** Where the agent or HQ is while `vite dev` runs. */
  backend: string;
  /** Addresses under the backend that are not the page's. */
  proxied: string[];
  /** Present: the page gets a service worker at `/<app>/sw.js`. */
  offline?: OfflineOptions;
  /** The page can be put on a phone's home screen, and needs icons there. */
  icons?: boolean;
}

/** app returns the configuration of one page, served at `/<name>/`. */
export function app(name: AppName, options: AppOptions): UserConfig {
  return defineConfig({
    base: `/${name}/`,
    plugins: [
      svelte({ compilerOptions: { runes: true } }),
      ...(options.icons ? [icons(name)] : []),
      ...(options.offline ? [offline(name, options.offline)] : []),
    ],
    build: {
      target: 'es2022',
      // Small pictures must not become data: addresses in the style sheets and scripts:
      // the content security policy lets only files through.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 600,
      rolldownOptions: {
        output: {
          // What the page and its lazy parts share stays in one file: many small ones
          // compress worse.
          codeSplitting: { groups: [{ name: 'base', tags: ['$initial'] }] },
        },
      },
    },
    server: {
      proxy: Object.fromEntries(options.proxied.map((path) => [path, options.backend])),
    },
  }) as UserConfig;
}
