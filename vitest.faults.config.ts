import { defineConfig } from 'vitest/config'

/** `npm run test:faults`: prints the matrix; with `FAULTS=full` every fault in every phase. */
export default defineConfig({
  test: {
    include: ['test/faults/**/*.test.ts'],
    globalSetup: ['test/support/pack-program.ts'],
    setupFiles: ['test/support/close-idle-relays.ts'],
    testTimeout: process.env['FAULTS'] === 'full' ? 900_000 : 120_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Most of the time is spent waiting for deadlines, so more files than cores run at once.
    maxWorkers: 3,
    reporters: ['./test/faults/matrix-reporter.ts'],
  },
})
