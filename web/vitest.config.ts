import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const alias = { '~': fileURLToPath(new URL('./src', import.meta.url)) }
const browser = {
  globalSetup: ['test/browser/setup.ts'],
  testTimeout: 90_000,
  hookTimeout: 120_000,
}
/** What is measured or photographed has the machine for itself. */
const alone = { ...browser, fileParallelism: false }

export default defineConfig({
  resolve: { alias },
  define: { __MOCK__: 'true' },
  test: {
    // A page waits as much as it works: two browsers keep two cores busy.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts?(x)'], environment: 'happy-dom' } },
      { extends: true, test: { name: 'browser', include: ['test/browser/**/*.test.ts'], ...browser } },
      { extends: true, test: { name: 'bench', include: ['test/bench/**/*.bench.ts'], ...alone } },
      { extends: true, test: { name: 'screenshots', include: ['test/screenshots/**/*.shots.ts'], ...alone } },
      { extends: true, test: { name: 'real', include: ['test/real/**/*.test.ts'], testTimeout: 600_000, hookTimeout: 300_000, fileParallelism: false } },
    ],
  },
})
