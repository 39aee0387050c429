import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

const SCRIPT = 'scripts/bench.mjs'
const run = (...args: readonly string[]) => spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' })
const sourceOf = (file: string) => readFileSync(`bench/${file}`, 'utf8')
const runnableBenches = () =>
  readdirSync('bench').filter((file) => file.endsWith('.ts') && sourceOf(file).includes('`npm run bench -- '))

describe('npm run bench', () => {
  it('lists every benchmark when no name is given', () => {
    const { status, stdout } = run()
    const listed = [...stdout.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name ?? '')
    expect(status).toBe(0)
    expect(listed.map((name) => `${name}.ts`).sort()).toEqual(runnableBenches().sort())
  })

  it('has benchmarks that hand over their figures as data', () => {
    const silent = runnableBenches().filter((file) => !sourceOf(file).includes('giveFigures({'))
    expect(silent).toEqual([])
  })

  it('exits 2 for a name that it does not know', () => {
    const { status, stderr } = run('speed')
    expect(status).toBe(2)
    expect(stderr).toContain('startup')
  })
})
