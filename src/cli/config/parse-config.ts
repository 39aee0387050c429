import { isMap, isScalar, type YAMLMap } from 'yaml'
import { UsageError } from '../../errors.ts'
import { looksLikeSecretKey } from '../parse/parse-secret.ts'
import type { RawValues } from '../parse/raw-values.ts'
import type { ConfigFile } from './config-file.ts'
import { MISPLACED_SECRET, unknownPartProblem } from './config-keys.ts'
import { openConfig, type ConfigReading } from './config-reading.ts'
import { readSection } from './read-section.ts'

/** Also fit for the instance of a systemd unit. */
const PROFILE_NAME = /^\w[\w.-]{0,63}$/

/**
 * Parses a configuration file (YAML 1.2, and so JSON): `defaults` and `profiles`, each a map of options. `path` is
 * absolute. Throws UsageError with every problem as `file:line:column: …`.
 */
export function parseConfig(text: string, path: string): ConfigFile {
  const reading = openConfig(text, path)
  const config = reading.problems.length === 0 ? readParts(reading) : undefined
  if (config === undefined || reading.problems.length > 0) throw new UsageError(reading.problems)
  return config
}

function readParts(reading: ConfigReading): ConfigFile {
  let defaults: RawValues = new Map()
  let profiles: ReadonlyMap<string, RawValues> = new Map()
  for (const { key, value } of readMap(reading.root, 'the file', reading)) {
    const name = nameOf(key)
    if (name === 'defaults') defaults = readSection(readMap(value, 'defaults', reading), undefined, reading)
    else if (name === 'profiles') profiles = readProfiles(readMap(value, 'profiles', reading), reading)
    else reading.report(key, unknownPartProblem(name))
  }
  return { path: reading.file, defaults, profiles }
}

function readProfiles(pairs: YAMLMap['items'], reading: ConfigReading): ReadonlyMap<string, RawValues> {
  const profiles = new Map<string, RawValues>()
  for (const { key, value } of pairs) {
    const name = nameOf(key)
    if (looksLikeSecretKey(name)) reading.report(key, MISPLACED_SECRET)
    else if (PROFILE_NAME.test(name)) {
      profiles.set(name, readSection(readMap(value, `profile ${name}`, reading), name, reading))
    } else {
      reading.report(key, 'is not a name of a profile: give letters, digits, "_", "." and "-", at most 64')
    }
  }
  return profiles
}

/** The pairs of a map; none of an empty place. */
function readMap(node: unknown, what: string, reading: ConfigReading): YAMLMap['items'] {
  const found = reading.resolve(node)
  if (found === undefined || (isScalar(found) && found.value === null)) return []
  if (isMap(found)) return found.items
  reading.report(found, `${what} is not a map: give options as "key: value"`)
  return []
}

function nameOf(key: unknown): string {
  return isScalar(key) ? (key.source ?? String(key.value)) : ''
}
