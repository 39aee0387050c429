import { defineConfig } from 'vitest/config'

/** `npm run test:install`: installs the packed program with other releases of Node. Needs the package registry. */
export default defineConfig({
  test: {
    include: ['test/install/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    fileParallelism: false,
    reporters: ['default'],
  },
})
