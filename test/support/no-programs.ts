/**
 * For `npm run test:fast`: a test that starts a program is skipped where it does, so that nobody keeps a list of those
 * tests.
 */
import childProcess from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'

import { TestRunner } from 'vitest'

const STARTERS = ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync'] as const

Object.assign(childProcess, Object.fromEntries(STARTERS.map((name) => [name, skipTest])))
// The modules of the tests import these functions by name.
syncBuiltinESMExports()

/** Throws in any case, so that nothing behind it runs; outside a test that is a failure. */
function skipTest(): never {
  const test = TestRunner.getCurrentTest()
  if (test === undefined) throw new Error('a program is started outside a test, which `npm run test:fast` cannot skip')
  return test.context.skip('needs a process of its own')
}
