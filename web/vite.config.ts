import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

import { contentSecurityPolicy, nonceMark } from './tools/csp.ts'

// Three builds: `dist` is what the operator's binary embeds; mode `mock` answers every request in the page and is what
// the browser tests and screenshots use; `npm run dev` is the second one, live.
export default defineConfig(({ mode, command }) => {
  const mock = mode === 'mock' || command === 'serve'
  return {
    plugins: [react(), tailwindcss()],
    define: { __MOCK__: JSON.stringify(mock) },
    resolve: { alias: { '~': fileURLToPath(new URL('./src', import.meta.url)) } },
    // The server of the console puts a fresh nonce in place of the mark for every answer.
    html: { cspNonce: nonceMark },
    build: {
      target: 'es2023',
      outDir: mode === 'mock' ? 'dist-mock' : 'dist',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      manifest: true,
      reportCompressedSize: false,
      // tools/budget.mjs judges sizes.
      chunkSizeWarningLimit: 2_000,
    },
    server: {
      host: '127.0.0.1',
      headers: {
        'Content-Security-Policy': contentSecurityPolicy(nonceMark, { dev: true }),
      },
    },
  }
})
