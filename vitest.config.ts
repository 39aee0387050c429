import { availableParallelism } from 'node:os'

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**', 'test/faults/**', 'test/install/**', 'node_modules/**'],
    globalSetup: ['test/support/pack-program.ts'],
    setupFiles: ['test/support/close-idle-relays.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // One process runs many files: loading the modules anew for each costs more than most files do.
    isolate: false,
    // Scenarios wait for relays and for the grace of an end nearly all of the time.
    maxWorkers: availableParallelism() * 5,
    reporters: ['default'],
  },
})
