/*
 * Reduces an announcement (30617) to the parts worth remembering between runs: those that decide scope and membership,
 * and a name. Authors can fill the rest with 60 kB and more of anything, and there are many authors.
 */
import { MAX_URL_LENGTH, readAnnouncement, type Announcement } from './announcement.ts'
import { tagValues, type NostrEvent } from './event.ts'
import { parseUrl, withoutTrailing } from './host.ts'
import { encodePublicKey } from './nip19.ts'
import type { Roles } from './roles.ts'

const MAX_NAME = 200
/** Longer URLs are shortened: they are never relays to discover, and only the place they point to matters. */
const MAX_URL = 320
/**
 * Placeholders for values that are counted as unread: a URL that is too long, an invalid public key, and one maintainer
 * over the cap.
 */
const ENDLESS = 'x'.repeat(MAX_URL_LENGTH + 1)
const UNREAD = '?'
const ONE_MORE = 'f'.repeat(64)

/**
 * The announcement without content, signature and unused tags. `readAnnouncement` finds the same people in it by either
 * rule, and URLs that point to the same places.
 */
export function outlineAnnouncement(event: NostrEvent): NostrEvent {
  const [today, early] = [readAnnouncement(event, 'today'), readAnnouncement(event, 'early')]
  const tags = [
    ['d', today.identifier],
    ...firstOf(event, 'name', MAX_NAME),
    ...firstOf(event, 'expiration', MAX_NAME),
    ...listOf('clone', [...today.clone.flatMap(shorten), ...(today.unreadUrls > 0 ? [ENDLESS] : [])]),
    ...listOf('relays', today.relays.flatMap(shorten)),
    ...peopleOf(event, today, early),
  ]
  return {
    id: event.id,
    pubkey: event.pubkey,
    created_at: event.created_at,
    kind: event.kind,
    tags,
    content: '',
    sig: '',
  }
}

function firstOf(event: NostrEvent, name: string, maxLength: number): string[][] {
  const [value] = tagValues(event, name)
  return value === undefined ? [] : [[name, value.slice(0, maxLength)]]
}

function listOf(name: string, values: readonly string[]): string[][] {
  return values.length === 0 ? [] : [[name, ...values]]
}

/** Shortens a long URL: drops user and query, keeps the start of a long path (which is compared) and its `.git`. */
function shorten(text: string): string[] {
  if (text.length <= MAX_URL) return [text]
  const url = parseUrl(text.includes('://') ? text : `https://${text}`)
  if (url === undefined) return []
  const path = withoutTrailing(url.pathname, '/')
  const end = path.length > MAX_URL && path.endsWith('.git') ? '.git' : ''
  return [`${url.protocol}//${url.host}${path.slice(0, MAX_URL)}${end}`]
}

/**
 * Keeps what both rules need: `today` reads role tags first; `early` ignores them and reads every `maintainers` tag,
 * hex only.
 */
function peopleOf(event: NostrEvent, today: Announcement, early: Announcement): string[][] {
  const hasRoles = event.tags.some(([name = '']) => name === 'M' || name === 'm' || name === 'o')
  const beyond = early.unreadMaintainers > 0 ? [ONE_MORE] : []
  if (hasRoles) return [['o', ''], ...rolesOf(event, today), ...listOf('maintainers', [...early.listed, ...beyond])]
  const first = [...today.listed].map((key) => (early.listed.has(key) ? key : encodePublicKey(key)))
  const others = [...early.listed].filter((key) => !today.listed.has(key))
  const unread = today.unreadMaintainers > 0 ? [UNREAD] : []
  const [own, beside] = [
    [...first, ...unread],
    [...others, ...beyond],
  ]
  return own.length + beside.length === 0 ? [] : [['maintainers', ...own], ...listOf('maintainers', beside)]
}

function rolesOf({ pubkey }: NostrEvent, { listed, leads, isAuthorActive, unreadMaintainers }: Roles): string[][] {
  return [
    ...[...leads].map((key) => ['M', key]),
    ...[...listed].filter((key) => !leads.has(key)).map((key) => ['m', key]),
    ...(isAuthorActive ? [] : [['m', pubkey, '0', '0']]),
    ...(unreadMaintainers > 0 ? [['m', UNREAD]] : []),
  ]
}
