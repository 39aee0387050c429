import type { RunOptions } from '../../report/run-options.ts'
import { LIST_NAMES, type ListName } from '../difference-lists.ts'
import { conflict } from './conflict.ts'
import type { OptionReader } from './option-reader.ts'
import { OPTIONS } from './option-table.ts'
import { isSameEndpoint, parseFileName } from './parse-endpoint.ts'
import { parsePageName } from './parse-page-name.ts'

/** What `check` does besides comparing. */
export type CheckOptions = {
  /** Whether the sources are also compared with the target. */
  readonly both: boolean
  /** The JSONL file for the missing events; `-` is standard output. */
  readonly output: string | undefined
  /** Files for lists of differences; `-` is standard output. */
  readonly lists: readonly { readonly name: ListName; readonly flag: string; readonly file: string }[]
}

/** A reader of options, and the list that takes what is wrong. */
type Reading = { readonly reader: OptionReader; readonly problems: string[] }

/** More ends do not fit into the bits that say where an event is. */
const MAX_ENDS_COUNTED = 50

/** Reads the options of `check`, which reads its target and must not write to a file that it reads. */
export function readCheck(options: RunOptions, { reader, problems }: Reading): CheckOptions {
  const { sources, target } = options
  refuseCopies(options, { reader, problems })
  const both = reader.isOn(OPTIONS.both)
  const output = reader.one(OPTIONS.output, parseFileName)
  const outputOrigin = reader.originOf(OPTIONS.output) ?? ''
  if (target === '-')
    problems.push(`${reader.originOf(OPTIONS.target) ?? ''} - cannot be read: check needs a relay or a file`)
  if (both && sources.includes('-')) {
    problems.push(
      `${reader.originOf(OPTIONS.both) ?? ''} reads each source twice, and standard input can be read once only`,
    )
  }
  if (output !== undefined && [...sources, target].some((end) => isSameEndpoint(end, output))) {
    problems.push(`${outputOrigin} names a file that is read: give another file for what is missing`)
  }
  return { both, output, lists: readLists([...sources, target], output, { reader, problems }) }
}

/** Copies are counted over distinct ends and over everything: the newest version may lie outside a window. */
function refuseCopies({ copies, sources, target }: RunOptions, { reader, problems }: Reading): void {
  const origin = reader.originOf(OPTIONS.copies)
  if (copies === undefined || origin === undefined) return
  const ends = [target, ...sources]
  const twin = sources.find((source, index) => sources.slice(0, index).some((other) => isSameEndpoint(source, other)))
  if (twin !== undefined) problems.push(`${origin} counts distinct ends, but ${twin} is named twice: name it once`)
  else if (copies > ends.length)
    problems.push(`${origin} ${copies} is more than the ${ends.length} ends that are named: name more sources`)
  if (ends.length > MAX_ENDS_COUNTED) problems.push(`${origin} counts over at most ${MAX_ENDS_COUNTED} ends`)
  for (const spec of [OPTIONS.since, OPTIONS.until])
    if (reader.originOf(spec) !== undefined) problems.push(conflict(reader, OPTIONS.copies, spec))
}

/** Each list has a file of its own, and at most one of all outputs goes to standard output. */
function readLists(
  ends: readonly string[],
  output: string | undefined,
  { reader, problems }: Reading,
): CheckOptions['lists'] {
  const lists: { name: ListName; flag: string; file: string }[] = []
  for (const name of LIST_NAMES) {
    const spec = OPTIONS[name]
    const file = reader.one(spec, parseFileName)
    if (file === undefined) continue
    const taken = [...(output === undefined ? [] : [output]), ...lists.map((list) => list.file), ...ends]
    if (taken.some((other) => isSameEndpoint(other, file)))
      problems.push(`${reader.originOf(spec) ?? spec.flag} names a file that is used otherwise: give another one`)
    lists.push({ name, flag: spec.flag, file })
  }
  return lists
}

/** Reads the name of the page of a report, which must not replace a file that the run reads or writes. */
export function readReportFile(
  { sources, target }: RunOptions,
  check: CheckOptions | undefined,
  { reader, problems }: Reading,
): string | undefined {
  const file = reader.one(OPTIONS.report, parsePageName)
  const others = [...sources, target, check?.output, ...(check?.lists ?? []).map((list) => list.file)]
  if (file !== undefined && others.some((other) => other !== undefined && isSameEndpoint(other, file)))
    problems.push(`${reader.originOf(OPTIONS.report) ?? ''} names a file that is used otherwise: give another one`)
  return file
}
