import { mergeConfig } from 'vitest/config'

import everything from './vitest.config.ts'

/** Of the end-to-end tests the themes of the core; each file mostly waits, so none may become long. */
const THEMES = 'catchup-since*,deletions*,door,parked*,publishing*,scope'

/**
 * `npm run test:fast`: the tests of one file of the source, and the scenarios of the core, all in the processes of
 * vitest. A test that needs a program of its own is skipped where it starts one (`no-programs.ts`).
 */
const config = mergeConfig(everything, {
  test: {
    setupFiles: ['test/support/no-programs.ts'],
    // Nobody starts it.
    provide: { packed: '' },
    // In node_modules: what was compiled once is not compiled again.
    experimental: { fsModuleCache: true },
  },
})
config.test.globalSetup = []
config.test.include = ['test/*.test.ts', 'test/{cli,file,nostr,relay,store}/*.test.ts', `test/e2e/{${THEMES}}.test.ts`]
// What it looks at is packed by a program before the first of its tests.
config.test.exclude.push('test/package.test.ts')
export default config
