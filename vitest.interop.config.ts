import { defineConfig } from 'vitest/config'

/** `npm run test:interop`: against relays that no one here wrote. Run from the root of the project. */
export default defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    globalSetup: ['test/interop/install.ts', 'test/support/pack-program.ts'],
    setupFiles: ['test/support/close-idle-relays.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Every test has two or three processes besides its own.
    maxWorkers: 2,
    reporters: ['default'],
  },
})
