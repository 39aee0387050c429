import { escapeForTerminal } from '../escape.ts'
import type { OptionReader } from './option-reader.ts'
import { OPTIONS } from './option-table.ts'
import { isSameEndpoint } from './parse-endpoint.ts'
import { parsePageName } from './parse-page-name.ts'

/** What `merge-reports` reads and writes. `files`: `-` is standard input. */
export type MergeOptions = { readonly files: readonly string[]; readonly reportFile: string | undefined }

type Reading = {
  readonly words?: readonly string[]
  readonly reader: OptionReader
  readonly problems: string[]
}

/** Reads the options of `merge-reports`. */
export function readMerge(reading: Reading): MergeOptions {
  const files = readFiles(reading)
  const { reader, problems } = reading
  const reportFile = reader.one(OPTIONS.report, parsePageName)
  if (reportFile !== undefined && files.some((file) => isSameEndpoint(file, reportFile)))
    problems.push(`${reader.originOf(OPTIONS.report) ?? ''} names a file that is read: give another one`)
  return { files, reportFile }
}

function readFiles({ words = [], problems }: Reading): readonly string[] {
  if (words.length === 0 && problems.length === 0)
    problems.push('no report: give the files, as in ngit-sync merge-reports shard-*.json, or - for standard input')
  if (words.includes('')) problems.push('the name of a file is empty')
  const twice = words.filter((word, index) => words.indexOf(word) < index)
  if (twice.includes('-')) problems.push('standard input can be read once only')
  const [first, ...others] = twice.filter((word) => word !== '-' && word !== '')
  const more = others.length === 0 ? '' : `, and so are ${others.length} more`
  if (first !== undefined)
    problems.push(`${escapeForTerminal(first, { maxLength: 100 })} is given twice${more}: give each report once`)
  return words
}
