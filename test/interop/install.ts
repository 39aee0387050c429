import { install, isInstalled, missingTools, wantedRelays, type RelayName } from './support/recipes.ts'

/** Installs every relay of the suite that is not installed yet. A toolchain that is missing fails the suite, with one line a relay. */
export default function installRelays(): void {
  const wanted = wantedRelays().filter((name) => !isInstalled(name))
  const complaints = wanted.flatMap(complaintOf)
  if (complaints.length > 0) throw new Error(`cannot install the relays of this suite:\n${complaints.join('\n')}`)
  for (const name of wanted) {
    const startedAt = Date.now()
    process.stderr.write(`installing ${name} …\n`)
    install(name)
    process.stderr.write(`installed ${name} in ${Math.round((Date.now() - startedAt) / 1000)} s\n`)
  }
}

function complaintOf(name: RelayName): string[] {
  const missing = missingTools(name)
  if (missing.length === 0) return []
  return [`${name} needs ${missing.join(' and ')}; to leave it out: NGIT_SYNC_INTEROP_SKIP=${name}`]
}
