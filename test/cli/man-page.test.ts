import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { COMMAND_NAMES } from '../../src/cli/parse/command-table.ts'
import { ALL_OPTIONS } from '../../src/cli/parse/option-table.ts'
import { buildManPage } from '../support/man-page.ts'

const ROOT = new URL('../../', import.meta.url)
const FILE = fileURLToPath(new URL('man/ngit-sync.1', ROOT))

type Manifest = { readonly version: string; readonly man: string; readonly files: readonly string[] }

const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as Manifest

/** How a formatter ends with the page, or undefined where there is none. */
function format(program: string, ...options: readonly string[]) {
  const { status, stdout, stderr, error } = spawnSync(program, [...options, FILE], { encoding: 'utf8' })
  return error === undefined ? { status, stdout, stderr } : undefined
}

describe('the manual page', () => {
  it('man/ngit-sync.1 is what the tables give (npm run man writes it)', async () => {
    await expect(buildManPage(manifest.version)).toMatchFileSnapshot(FILE)
  })

  it('is installed with the package', () => {
    expect(manifest.man).toBe('./man/ngit-sync.1')
    expect(manifest.files).toContain('man')
  })

  it('formats without a warning, and names every command and option', ({ skip }) => {
    const page = format('groff', '-man', '-Tutf8', '-ww', '-P-cbou')
    if (page === undefined) skip('there is no groff')
    expect(page).toMatchObject({ status: 0, stderr: '' })
    const flags = ALL_OPTIONS.map(({ flag }) => flag)
    for (const name of [...COMMAND_NAMES, ...flags]) expect(page?.stdout.replaceAll('‐', '-')).toContain(name)
  })

  it('has no error for mandoc', ({ skip }) => {
    const page = format('mandoc', '-Tlint', '-Werror')
    if (page === undefined) skip('there is no mandoc')
    expect(page).toMatchObject({ status: 0, stdout: '' })
  })
})
