import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

// @ts-expect-error: a module of the scripts, without types.
import { findMutant, readPieces } from '../../scripts/find-mutant.mjs'
// @ts-expect-error: a list for a script, without types.
import { MUTANTS } from '../../scripts/mutant-list.mjs'

import { temporaryDirectory } from '../support/temporary-state.ts'

type Mutant = {
  readonly rule: number | string
  readonly what: string
  readonly in: string
  readonly from: string | RegExp
  readonly by?: { readonly file: string; readonly name: string }
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

describe('the mutants of the rules', () => {
  const mutants = MUTANTS as readonly Mutant[]
  const pieces = readPieces(ROOT)

  it.each(mutants)('rule $rule, $what: what is broken stands in $in once', (mutant) => {
    expect(findMutant(mutant, pieces)).toHaveLength(1)
  })

  it('are found as well when every file has another name and stands in another room', () => {
    const copy = temporaryDirectory()
    mkdirSync(join(copy, 'src/room'), { recursive: true })
    const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\.ts$/.test(file),
    )
    files.forEach((file, index) => copyFileSync(join(ROOT, 'src', file), join(copy, `src/room/file-${index}.ts`)))
    const moved = readPieces(copy)
    expect(mutants.filter((mutant) => findMutant(mutant, moved).length !== 1)).toEqual([])
  })

  it('break every rule', () => {
    const rules = mutants.map(({ rule }) => rule).filter((rule) => typeof rule === 'number')
    expect(new Set(rules)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9]))
  })

  it('name tests that there are', () => {
    const named = mutants.flatMap(({ by }) => by ?? [])
    expect(named.filter(({ file, name }) => !readFileSync(join(ROOT, file), 'utf8').includes(name))).toEqual([])
  })
})
