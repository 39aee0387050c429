import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

// @ts-expect-error: a list for a script, without types.
import { MUTANTS } from '../../scripts/mutant-list.mjs'

type Mutant = { readonly rule: number; readonly what: string; readonly file: string; readonly from: string }

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

describe('the mutants of the rules', () => {
  const mutants = MUTANTS as readonly Mutant[]

  it.each(mutants)('rule $rule, $what: the line to break stands there once', ({ file, from }) => {
    expect(readFileSync(`${ROOT}${file}`, 'utf8').split(from)).toHaveLength(2)
  })

  it('break every rule', () => {
    expect(new Set(mutants.map(({ rule }) => rule))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9]))
  })
})
