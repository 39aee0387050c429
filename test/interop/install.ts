import { install, isInstalled, missingSource, missingTools, wantedRelays } from './support/installation.ts'
import { RELAY_NAMES, type RelayName } from './support/recipes.ts'

/**
 * Installs every relay of the suite that is not installed yet. A toolchain that is missing fails the suite, with one
 * line a relay.
 */
export default function installRelays(): void {
  const wanted = wantedRelays()
  for (const name of RELAY_NAMES) tellMissingSource(name)
  const skipped = RELAY_NAMES.filter((name) => !wanted.includes(name) && missingSource(name) === undefined)
  if (skipped.length > 0) process.stderr.write(`not tested, by NGIT_SYNC_INTEROP_SKIP: ${skipped.join(', ')}\n`)
  const complaints = wanted.filter((name) => !isInstalled(name)).flatMap(complaintOf)
  if (complaints.length > 0) throw new Error(`cannot install the relays of this suite:\n${complaints.join('\n')}`)
  // Two relays may be one installation.
  for (const name of wanted) if (!isInstalled(name)) installTimed(name)
}

function tellMissingSource(name: RelayName): void {
  const variable = missingSource(name)
  if (variable === undefined) return
  process.stderr.write(
    `not tested, because no registry has its source: ${name}; ${variable}=<path or URL of a checkout>\n`,
  )
}

function installTimed(name: RelayName): void {
  const startedAt = Date.now()
  process.stderr.write(`installing ${name} …\n`)
  install(name)
  process.stderr.write(`installed ${name} in ${Math.round((Date.now() - startedAt) / 1000)} s\n`)
}

function complaintOf(name: RelayName): string[] {
  const missing = missingTools(name)
  if (missing.length === 0) return []
  return [`${name} needs ${missing.join(' and ')}; to leave it out: NGIT_SYNC_INTEROP_SKIP=${name}`]
}
