import { parseAddress, type Address } from '../../nostr/address.ts'
import { withoutTrailing } from '../../nostr/host.ts'
import { KIND } from '../../nostr/kinds.ts'
import { decodePublicKey, decodeRepository } from '../../nostr/nip19.ts'
import { ok, wrong, wrongSecret, type Parsed, type Wrong } from './parsed.ts'

const FORMS =
  'is not a repository: give an naddr, 30617:<public key>:<identifier>, npub/identifier, or a nostr:// clone URL'

/** Parses an author given as npub, nprofile or hex to a public key in hex. */
export function parseAuthor(text: string): Parsed<string> {
  if (/n(?:crypt)?sec1/i.test(text)) return wrongSecretKey()
  const pubkey = decodePublicKey(withoutUriScheme(text))
  return pubkey === undefined ? wrong('is not a public key: give an npub, or 64 hex digits') : ok(pubkey)
}

/**
 * Parses a repository to its address: an naddr, `30617:<public key>:<identifier>`, `npub/identifier`, or a clone URL of
 * ngit: `nostr://npub/identifier`, `nostr://npub/relay-hint/identifier`. Ignores relay hints.
 */
export function parseRepository(text: string): Parsed<Address> {
  if (/n(?:crypt)?sec1/i.test(text)) return wrongSecretKey()
  if (/^nostr:\/\//i.test(text)) return parseCloneUrl(text.slice('nostr://'.length))
  const bare = withoutUriScheme(text)
  if (/^naddr1/i.test(bare)) return parseNaddr(bare)
  if (/^\d+:/.test(bare)) return parseAddressText(bare)
  const slash = bare.indexOf('/')
  return slash === -1 ? wrong(FORMS) : repositoryOf(bare.slice(0, slash), bare.slice(slash + 1))
}

function parseNaddr(text: string): Parsed<Address> {
  const address = decodeRepository(text)
  return address === undefined ? wrong('is not a valid naddr: a character is missing or wrong') : checkKind(address)
}

/** Also accepts the public key as npub, because reports print addresses that way. */
function parseAddressText(text: string): Parsed<Address> {
  const [kind = '', owner = ''] = text.split(':', 2)
  const pubkey = decodePublicKey(owner)
  if (pubkey === undefined) return wrong('has no valid public key after the kind')
  const address = parseAddress(`${kind}:${pubkey}:${text.slice(kind.length + owner.length + 2)}`)
  return address === undefined ? wrong(FORMS) : checkKind(address)
}

function checkKind(address: Address): Parsed<Address> {
  if (address.kind === KIND.announcement) return ok(address)
  return wrong(`is of kind ${address.kind}, not a repository announcement (${KIND.announcement})`)
}

/** ngit writes `nostr://[user@][protocol/]npub[/relay-hint]/identifier`, with the identifier percent-encoded. */
function parseCloneUrl(rest: string): Parsed<Address> {
  const [path = ''] = rest.split(/[?#]/, 1)
  const segments = withoutTrailing(path, '/').split('/')
  const [first = ''] = segments
  if (/^naddr1/i.test(first)) return parseNaddr(first)
  const at = segments.findIndex((segment) => decodePublicKey(ownerOf(segment)) !== undefined)
  if (at === -1) return wrong('does not name its owner by npub (names of NIP-05 are not looked up)')
  if (at > 1 || at === segments.length - 1) return wrong(FORMS)
  return repositoryOf(ownerOf(segments[at] ?? ''), percentDecode(segments.at(-1) ?? ''))
}

function repositoryOf(owner: string, identifier: string): Parsed<Address> {
  const pubkey = decodePublicKey(owner)
  if (pubkey === undefined) return wrong(FORMS)
  if (identifier === '') return wrong('has no identifier after the public key')
  return ok({ kind: KIND.announcement, pubkey, d: identifier })
}

function ownerOf(segment: string): string {
  return segment.slice(segment.indexOf('@') + 1)
}

/** A `%` that starts no escape is literal: identifiers may contain one. */
function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function withoutUriScheme(text: string): string {
  return text.replace(/^nostr:(?!\/\/)/i, '')
}

function wrongSecretKey(): Wrong {
  return wrongSecret('holds a secret key (nsec): give the public key (npub); this one is now in your shell history')
}
