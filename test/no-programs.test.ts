import { spawnSync } from 'node:child_process'

import { expect, it } from 'vitest'

it('starts a program, and where none may be started the test is skipped instead', () => {
  const { stdout } = spawnSync(process.execPath, ['-p', '1 + 1'], { encoding: 'utf8' })
  expect(stdout).toBe('2\n')
})
