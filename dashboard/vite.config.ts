import { defineConfig } from 'vite';

export default defineConfig({
  build: {
    target: 'es2022',
    // The Content-Security-Policy allows no data: URL and no inline code.
    assetsInlineLimit: 0,
    // One page that whoever opens it uses whole.
    chunkSizeWarningLimit: 700,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // Libraries mark their files "use client" for servers that render; there is none here.
      onLog: (level, log, handler) => {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handler(level, log);
      },
    },
  },
});
