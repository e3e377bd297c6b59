import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/property-seed.ts'],
    // Worker threads and child processes of the tests themselves need the room; two cores is the target.
    maxWorkers: 2,
    // For processes that tests start: a server starts in half the time where another one has been before.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url)) },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // `npm run test:coverage` only. What the tests start as processes of their own is not among it.
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text', 'html'],
      reportsDirectory: 'coverage',
    },
  },
});
