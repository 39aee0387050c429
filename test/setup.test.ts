import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

describe('scripts/setup.mjs, in a place with a space in its name', () => {
  const place = mkdtempSync(join(tmpdir(), 'ngit-sync setup '))
  afterAll(() => rmSync(place, { recursive: true, force: true }))

  // Without a package-lock.json there is nothing to install.
  beforeAll(() => {
    for (const file of ['scripts/setup.mjs', 'tsconfig.json']) cpSync(join(ROOT, file), join(place, file))
    symlinkSync(join(ROOT, 'node_modules'), join(place, 'node_modules'))
    mkdirSync(join(place, 'src'))
    writeFileSync(join(place, 'package.json'), '{ "type": "module" }')
  })

  it('builds what is not built, and removes what was built of a source that has gone', () => {
    for (const name of ['kept', 'gone']) writeFileSync(join(place, `src/${name}.ts`), 'export const one = 1\n')
    setUp()
    expect(built('kept')).toBe(true)
    expect(built('gone')).toBe(true)
    rmSync(join(place, 'src/gone.ts'))
    setUp()
    expect(built('kept')).toBe(true)
    expect(built('gone')).toBe(false)
  })

  function setUp(): void {
    execFileSync(process.execPath, [join(place, 'scripts/setup.mjs')], { cwd: tmpdir() })
  }

  function built(name: string): boolean {
    return existsSync(join(place, `dist/${name}.js`))
  }
})
