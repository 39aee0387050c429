import type { GitOptions, RunOptions } from '../../report/run-options.ts'
import type { OptionReader } from './option-reader.ts'
import { OPTIONS, type OptionSpec } from './option-table.ts'
import { ok, parseChoice, wrong, type Parsed } from './parsed.ts'
import { parseBytes } from './parse-quantity.ts'

type Reading = { readonly reader: OptionReader; readonly problems: string[] }

const MAX_PARTS = 10_000

/** Options that say how git data is looked at: an error without `--git`, unless that was turned off explicitly. */
const MODIFIERS: readonly OptionSpec[] = [OPTIONS.deep, OPTIONS.pruneRefs, OPTIONS.maxGitBytes, OPTIONS.gitAllow]

/** Reads what the run does with git data; undefined without `--git`. */
export function readGit(command: RunOptions['command'], { reader, problems }: Reading): RunOptions['git'] {
  const options: GitOptions = {
    deep: reader.one(OPTIONS.deep, parsePart),
    pruneRefs: reader.isOn(OPTIONS.pruneRefs),
    maxBytes: reader.withDefault(OPTIONS.maxGitBytes, parseBytes),
    allowPrivate: reader.many(OPTIONS.gitAllow, parseChoice('private')).includes('private'),
  }
  if (reader.isOn(OPTIONS.git)) return options
  if (command === 'repair')
    problems.push('repair wants --git, since git data is what it repairs: give --git, or run catchup for events alone')
  const isOff = reader.originOf(OPTIONS.git) !== undefined
  for (const spec of isOff ? [] : MODIFIERS) {
    const origin = reader.originOf(spec)
    if (origin !== undefined) problems.push(`${origin} has no effect without ${OPTIONS.git.flag}: give that too`)
  }
  return undefined
}

/** Parses `N/T`: the N-th of T parts. */
function parsePart(text: string): Parsed<{ number: number; of: number }> {
  const match = /^(\d{1,5})\/(\d{1,5})$/.exec(text)
  const [number, of] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)]
  if (number < 1 || number > of || of > MAX_PARTS) {
    return wrong(`is not a part: give for example 1/7 for the first of seven, of ${MAX_PARTS} at most`)
  }
  return ok({ number, of })
}
