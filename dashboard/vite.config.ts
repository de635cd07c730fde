import { defineConfig } from 'vite';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    // The Content-Security-Policy allows no data: URL and no inline code.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
