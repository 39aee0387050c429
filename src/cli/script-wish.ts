import type { ParsedOptions } from './parse/options.ts'

/** What scripts want of a run that fails: a document, and whether standard output has room for it. */
export type ScriptWish = { readonly json: boolean; readonly isStdoutTaken: boolean }

/** Lines that only print a text have no wish. */
type Line = ParsedOptions | { readonly type: 'text' | 'config' | 'version' | 'complete' }

/** The wish of a command line that is right, from all its layers. */
export function wishOf(line: Line): ScriptWish | undefined {
  const { type } = line
  if (type !== 'run' && type !== 'status' && type !== 'relay' && type !== 'demo' && type !== 'merge') return undefined
  return { json: line.output.json, isStdoutTaken: line.type === 'run' && isStdoutTaken(line) }
}

/** Whether events or lines for scripts go to standard output. */
export function isStdoutTaken({ options, check }: Extract<ParsedOptions, { type: 'run' }>): boolean {
  const lists = (check?.lists ?? []).map(({ file }) => file)
  return [options.target, check?.output, ...lists].includes('-')
}
