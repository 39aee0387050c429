import { ALL_OPTIONS, CHOOSERS, SECRET_VARIABLES, type OptionSpec } from '../parse/option-table.ts'
import { layersOf, parseOptions, problemsOfValues, type ActingCommand } from '../parse/options.ts'
import { isOn } from '../parse/parsed.ts'
import { keyOf, resolveLayers, type Environment, type RawValue, type RawValues } from '../parse/raw-values.ts'
import { UsageError } from '../../errors.ts'
import type { UnixSeconds } from '../../time.ts'
import type { Settings } from './settings.ts'

/** Where a value comes from, the strongest first. */
export type ConfigOrigin = 'flag' | 'variable' | 'profile' | 'defaults' | 'default'

/** One option of the merged configuration. `name` is its key in the file; a switch has the value `true` or `false`. */
export type ConfigValue = {
  readonly name: string
  readonly values: readonly string[]
  readonly from: ConfigOrigin
  /** The flag, or the variable; null for values of the file and defaults. */
  readonly source: string | null
  /** The line and column of the first value in the file, from 1; null elsewhere. */
  readonly line: number | null
  readonly column: number | null
}

/** The options that one profile amounts to. `profile` null: the defaults of the file, without a profile. */
export type ConfigProfile = {
  readonly profile: string | null
  readonly options: readonly ConfigValue[]
  /** Why `catchup` would refuse these options; empty if it would take them. */
  readonly refusals: readonly string[]
}

/** What `ngit-sync config` shows. No secret is in it; who renders it masks the URLs. */
export type ConfigOverview = {
  readonly version: 1
  /** The configuration file; null if there is none. */
  readonly file: string | null
  readonly profiles: readonly ConfigProfile[]
  /** The secrets that variables hold, by the names of the variables. */
  readonly secrets: readonly string[]
}

/** The inputs of `buildOverview`. */
export type OverviewInput = {
  readonly settings: Settings
  readonly flags: RawValues
  readonly env: Environment
  readonly now: UnixSeconds
}

const NOT_SHOWN = '(not shown)'
/** Every option belongs to one of these. */
const COMMANDS: readonly ActingCommand[] = ['catchup', 'serve', 'check', 'retry', 'repair', 'status', 'relay', 'why']

/**
 * Merges the layers for each chosen profile, or for all if none is chosen. Throws UsageError when a value is wrong, for
 * whatever command it is meant.
 */
export function buildOverview({ settings, ...input }: OverviewInput): ConfigOverview {
  const { file, chosen } = settings
  const known = [...(file?.profiles.keys() ?? [])]
  const names = chosen.length > 0 ? chosen : known
  const layers = (names.length > 0 ? names : [undefined]).map((name) => ({ name, settings: sectionOf(settings, name) }))
  const problems = layers.flatMap((layer) => wrongValues({ ...input, settings: layer.settings }))
  if (problems.length > 0) throw new UsageError([...new Set(problems)])
  return {
    version: 1,
    file: file?.path ?? null,
    profiles: layers.map((layer) => ({
      profile: layer.name ?? null,
      options: listValues(layersOf({ ...input, command: 'config', settings: layer.settings })),
      refusals: refusalsOf({ ...input, settings: layer.settings }),
    })),
    secrets: Object.values(SECRET_VARIABLES).filter((name) => (input.env[name] ?? '') !== ''),
  }
}

/** The options of a profile over those of `defaults`. */
export function sectionOf({ file }: Settings, profile: string | undefined): RawValues {
  const own = profile === undefined ? undefined : file?.profiles.get(profile)
  return resolveLayers([own ?? new Map(), file?.defaults ?? new Map()])
}

type LayersInput = Omit<OverviewInput, 'settings'> & { readonly settings: RawValues }

function wrongValues(input: LayersInput): readonly string[] {
  return COMMANDS.flatMap((command) => problemsOfValues({ ...input, command, problems: [] }))
}

function refusalsOf(input: LayersInput): readonly string[] {
  const parsed = parseOptions({ ...input, command: 'catchup', problems: [] })
  return parsed instanceof UsageError ? parsed.problems : []
}

function listValues(raw: RawValues): readonly ConfigValue[] {
  return ALL_OPTIONS.filter((spec) => !CHOOSERS.includes(spec)).flatMap((spec) => {
    const given = raw.get(spec)
    if (given !== undefined) return [toValue(spec, given)]
    if (spec.fallback === null) return []
    return [{ name: keyOf(spec), values: [spec.fallback], from: 'default', source: null, line: null, column: null }]
  })
}

function toValue(spec: OptionSpec, { texts, origin, places }: RawValue): ConfigValue {
  const [place] = places ?? []
  const shown = spec.isSecret === true ? texts.map(() => NOT_SHOWN) : texts
  const values = spec.value === null ? texts.map((text) => String(isOn(text))) : shown
  const name = keyOf(spec)
  if (place === undefined) {
    const from = origin === spec.flag ? 'flag' : 'variable'
    return { name, values, from, source: origin, line: null, column: null }
  }
  const { line, column, profile } = place
  return { name, values, from: profile === undefined ? 'defaults' : 'profile', source: null, line, column }
}
