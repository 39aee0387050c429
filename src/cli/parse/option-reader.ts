import { escapeForTerminal } from '../escape.ts'
import type { OptionSpec } from './option-table.ts'
import { parseSwitch, type Parser, type Wrong } from './parsed.ts'
import { fileOrigin, type RawValue, type RawValues } from './raw-values.ts'

/** Parses raw values and collects their problems, so that all are reported at once. */
export type OptionReader = {
  /** The value of an option; `undefined` if it is absent or wrong. */
  one<T>(spec: OptionSpec, parse: Parser<T>): T | undefined
  /** All valid values of a repeatable option, without duplicates. */
  many<T>(spec: OptionSpec, parse: Parser<T>): T[]
  /** The value of an option with a default; also the default if the value is wrong. */
  withDefault<T>(spec: OptionSpec, parse: Parser<T>): T
  /** Whether a switch is on. */
  isOn(spec: OptionSpec): boolean
  /** Where an option was given (`--since`, `NGIT_SYNC_SINCE`, `since (config.yaml:7:12)`); `undefined` if it was not. */
  originOf(spec: OptionSpec): string | undefined
}

/** Returns a reader of `raw` that adds one line to `problems` for each problem. */
export function createOptionReader(raw: RawValues, problems: string[]): OptionReader {
  const parseAll = <T>(spec: OptionSpec, parse: Parser<T>): T[] => {
    const given = raw.get(spec)
    return (given?.texts ?? []).flatMap((text, index) => {
      const parsed = text === '' ? undefined : parse(text)
      if (parsed?.type === 'ok') return [parsed.value]
      const origin = originOfText(spec, given, index)
      problems.push(parsed === undefined ? missingValue(spec, origin) : wrongValue(spec, origin, text, parsed))
      return []
    })
  }
  const one = <T>(spec: OptionSpec, parse: Parser<T>): T | undefined => {
    const given = raw.get(spec)
    const times = spec.value === null ? 1 : (given?.texts.length ?? 0)
    if (times > 1) problems.push(`${given?.origin ?? spec.flag} is given ${times} times, but takes one value`)
    return times > 1 ? undefined : parseAll(spec, parse)[0]
  }
  return {
    one,
    many: (spec, parse) => uniqueValues(parseAll(spec, parse)),
    withDefault: (spec, parse) => one(spec, parse) ?? parseDefault(spec, parse),
    isOn: (spec) => one(spec, parseSwitch) ?? false,
    originOf: (spec) => raw.get(spec)?.origin,
  }
}

/** Each item of a list in the configuration file has its own line. */
function originOfText(spec: OptionSpec, given: RawValue | undefined, index: number): string {
  const place = given?.places?.[index]
  return place === undefined ? (given?.origin ?? spec.flag) : fileOrigin(spec, place)
}

function missingValue({ value, flag }: OptionSpec, origin: string): string {
  const example = origin.startsWith(flag.slice(2)) ? '' : `: ${origin} <${value ?? ''}>`
  return `${origin} needs a value${example}`
}

function wrongValue(spec: OptionSpec, origin: string, text: string, { problem, secret }: Wrong): string {
  return secret || spec.isSecret === true
    ? `${origin} ${problem}`
    : `${origin} "${escapeForTerminal(text, { maxLength: 100 })}" ${problem}`
}

function parseDefault<T>(spec: OptionSpec, parse: Parser<T>): T {
  const parsed = parse(spec.fallback ?? '')
  if (parsed.type === 'ok') return parsed.value
  throw new TypeError(`the default of ${spec.flag} ${parsed.problem}`)
}

function uniqueValues<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]
}
