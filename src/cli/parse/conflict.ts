import type { OptionReader } from './option-reader.ts'
import type { OptionSpec } from './option-table.ts'

/** Says that two options exclude each other, by where each was given. */
export function conflict(reader: OptionReader, a: OptionSpec, b: OptionSpec): string {
  return `${reader.originOf(a) ?? a.flag} and ${reader.originOf(b) ?? b.flag} exclude each other: give one of them`
}
