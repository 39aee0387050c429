import type { Profile } from './endpoint.ts'

type Named = Pick<Profile, 'software' | 'version'>

const GRASP = /\bngit-grasp\b/i
const NGIT_RELAY = /\bngit-relay\b/i
const NOSTR_RS_RELAY = /\bnostr-rs-relay\b/i
const FIRST_MAJOR = /^1\./

/** ngit-grasp 2.0 and later, or of unreadable version: its answers, limits and membership are those of 3.0.10. */
export function isTodaysGrasp({ software = '', version = '' }: Named): boolean {
  return GRASP.test(software) && !FIRST_MAJOR.test(version)
}

/** ngit-grasp 1.x and ngit-relay: they recognise maintainers only by the `maintainers` tag. */
export function isEarlyGrasp({ software = '', version = '' }: Named): boolean {
  return NGIT_RELAY.test(software) || (GRASP.test(software) && FIRST_MAJOR.test(version))
}

/**
 * nostr-rs-relay: with `limit_scrapers` it answers a filter by fewer than two of ids, authors, kinds and tags with an
 * empty EOSE.
 */
export function mayBeNarrow({ software = '' }: Named): boolean {
  return NOSTR_RS_RELAY.test(software)
}
