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

/** ngit-relay, which takes a push of what a state names that it has stored already. */
export function isNgitRelay({ software = '' }: Named): boolean {
  return NGIT_RELAY.test(software)
}

/** Whether a relay says that it follows GRASP, and so serves git repositories too. */
export function isGrasp(profile: Named & Pick<Profile, 'supportedGrasps'>): boolean {
  return profile.supportedGrasps.length > 0 || isTodaysGrasp(profile) || isEarlyGrasp(profile)
}

/**
 * nostr-rs-relay: with `limit_scrapers` it answers a filter by fewer than two of ids, authors, kinds and tags with an
 * empty EOSE.
 */
export function mayBeNarrow({ software = '' }: Named): boolean {
  return NOSTR_RS_RELAY.test(software)
}
