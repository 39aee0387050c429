import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

import {
  fileHere,
  PLAIN_RELAY_NAMES,
  RECIPES,
  RELAY_NAMES,
  type PlainRelayName,
  type RelayName,
  type Step,
  type Tool,
} from './recipes.ts'

/**
 * The relays that NGIT_SYNC_INTEROP_SKIP leaves: it names relays, and tools whose relays are left out. Throws when it
 * names anything else. Without those whose source is neither installed nor at hand.
 */
export function wantedRelays(): readonly RelayName[] {
  const skipped = new Set((process.env['NGIT_SYNC_INTEROP_SKIP'] ?? '').split(',').filter((name) => name !== ''))
  const tools = new Set(RELAY_NAMES.flatMap(toolsOf))
  const known = new Set<string>([...RELAY_NAMES, ...tools])
  const unknown = [...skipped].find((name) => !known.has(name))
  if (unknown !== undefined) {
    throw new Error(`NGIT_SYNC_INTEROP_SKIP names ${unknown}; it may name ${[...known].join(', ')}`)
  }
  const isSkipped = (name: RelayName): boolean => [name, ...toolsOf(name)].some((reason) => skipped.has(reason))
  return RELAY_NAMES.filter((name) => !isSkipped(name) && missingSource(name) === undefined)
}

/** The variable that must say where the source of a relay is; undefined if it does, or is not needed. */
export function missingSource(name: RelayName): string | undefined {
  const { source } = RECIPES[name]
  return source === undefined || (process.env[source] ?? '') !== '' || isInstalled(name) ? undefined : source
}

/** Of these, the relays that take any event of anybody. */
export function plainRelays(): readonly PlainRelayName[] {
  const wanted = new Set<RelayName>(wantedRelays())
  return PLAIN_RELAY_NAMES.filter((name) => wanted.has(name))
}

/** Where a relay is installed, or will be: outside of the tree, in NGIT_SYNC_INTEROP_CACHE or the user's cache. */
export function directoryOf(name: RelayName): string {
  const { XDG_CACHE_HOME = join(homedir(), '.cache'), NGIT_SYNC_INTEROP_CACHE } = process.env
  const { directory, version, pins } = RECIPES[name]
  const hash = createHash('sha256')
  for (const pin of pins) hash.update(readFileSync(fileHere(`${directory}/${pin}`)))
  const cache = NGIT_SYNC_INTEROP_CACHE ?? join(XDG_CACHE_HOME, 'ngit-sync-interop')
  return join(cache, `${directory}-${version}-${hash.digest('hex').slice(0, 8)}`)
}

/** Whether it was installed to its end. */
export function isInstalled(name: RelayName): boolean {
  return existsSync(markerOf(name))
}

/** What of the recipe's tools is missing, in words; empty when nothing is. */
export function missingTools(name: RelayName): string[] {
  const isMissing = ({ program, args = ['--version'] }: Tool): boolean =>
    spawnSync(program, args, { stdio: 'ignore' }).error !== undefined
  return RECIPES[name].tools.filter(isMissing).map(({ program, hint }) => `${program} (${hint})`)
}

/** Installs a relay; throws with the end of the log when a step fails. What a failed attempt left is removed first. */
export function install(name: RelayName): void {
  const directory = directoryOf(name)
  const waste = join(directory, 'target')
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  for (const step of RECIPES[name].steps({ directory, waste })) runStep(step, join(directory, 'install.log'))
  rmSync(waste, { recursive: true, force: true })
  writeFileSync(markerOf(name), '')
}

function toolsOf(name: RelayName): string[] {
  return RECIPES[name].tools.map(({ program }) => program)
}

function markerOf(name: RelayName): string {
  return join(directoryOf(name), 'installed')
}

function runStep({ program, args, env }: Step, log: string): void {
  const output = openSync(log, 'a')
  const { status, error } = spawnSync(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  if (status === 0) return
  const end = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-15).join('\n')
  throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? `exit ${status}`}; ${log} ends with\n${end}`)
}
