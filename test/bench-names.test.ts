import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

const SCRIPT = 'scripts/bench.mjs'
const run = (...args: readonly string[]) => spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' })

describe('npm run bench', () => {
  it('lists every benchmark when no name is given', () => {
    const { status, stdout } = run()
    const listed = [...stdout.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name ?? '')
    const runnable = readdirSync('bench').filter(
      (file) => file.endsWith('.ts') && readFileSync(`bench/${file}`, 'utf8').includes('npm run bench -- '),
    )
    expect(status).toBe(0)
    expect(listed.map((name) => `${name}.ts`).sort()).toEqual(runnable.sort())
    expect(listed.every((name) => existsSync(`bench/${name}.ts`))).toBe(true)
  })

  it('exits 2 for a name that it does not know', () => {
    const { status, stderr } = run('speed')
    expect(status).toBe(2)
    expect(stderr).toContain('startup')
  })
})
