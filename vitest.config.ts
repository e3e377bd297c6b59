import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/property-seed.ts'],
    // Worker threads and child processes of the tests themselves need the room; two cores is the target.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // `npm run test:coverage` only. What the tests start as processes of their own is not among it.
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text', 'html'],
      reportsDirectory: 'coverage',
    },
  },
});
