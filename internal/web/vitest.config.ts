import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  // A test holds the sentences against internal/problem/table.go.
  server: { fs: { allow: ['..'] } },
  resolve: { conditions: ['browser'] },
  test: { include: ['*/test/**/*.test.ts'], environment: 'jsdom' },
});
