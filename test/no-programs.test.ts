import { spawnSync } from 'node:child_process'

import { expect, it } from 'vitest'

import { isOneProcess } from './support/one-process.ts'

it('starts a program, and where none may be started the test is skipped instead', () => {
  const { stdout } = spawnSync(process.execPath, ['-p', '1 + 1'], { encoding: 'utf8' })
  expect(isOneProcess).toBe(false)
  expect(stdout).toBe('2\n')
})
