/*
 * Whom an announcement names as maintainers, and whether its author still is one. NIP-34 knows two forms: role tags
 * (`M` lead, `m` maintainer, `o` moderator, each with a history) and the older `maintainers`. ngit-grasp from 2.0 on
 * reads both, role tags first; ngit-grasp 1.x and ngit-relay know the older form alone.
 */
import { isHex32, type NostrEvent } from './event.ts'
import { decodePublicKey } from './nip19.ts'

/** `today`: role tags, and `maintainers` where there are none. `early`: `maintainers` alone. */
export type RoleRule = 'today' | 'early'

/** What one announcement says of people, as public keys in lower-case hex. */
export type Roles = {
  /** Whom it names as maintainers now, without its author, at most 100. */
  readonly listed: ReadonlySet<string>
  /** Of the active `M` tags, its author among them. More than one leads nowhere. */
  readonly leads: ReadonlySet<string>
  /** False when the author's own roles have all ended: who left. */
  readonly isAuthorActive: boolean
  /** Values that are no public key, or too many. */
  readonly unreadMaintainers: number
}

/** How many people one announcement may list. */
export const MAX_MAINTAINERS = 100
const MAX_U64 = 2n ** 64n - 1n
const NPUB_LENGTH = 63

/** What the event (30617) says of people. */
export function readRoles(event: NostrEvent, rule: RoleRule): Roles {
  if (rule === 'early') return withoutRoles(event, allMaintainers(event).filter(isHex32))
  const roles = event.tags.filter(([name = '']) => name === 'M' || name === 'm' || name === 'o')
  if (roles.length === 0) return readMaintainersTag(event)
  const active = roles.filter((tag) => tag[0] !== 'o' && isActiveRole(tag))
  const keys = active.map((tag) => decodePublicKey(tag[1] ?? ''))
  const found = new Set(keys.flatMap((key) => key ?? []))
  const leads = active.flatMap((tag) => (tag[0] === 'M' ? (decodePublicKey(tag[1] ?? '') ?? []) : []))
  const hasOwnRole = roles.some((tag) => decodePublicKey(tag[1] ?? '') === event.pubkey)
  return {
    ...cap(found, event.pubkey, keys.filter((key) => key === undefined).length),
    leads: new Set(leads.slice(0, MAX_MAINTAINERS)),
    isAuthorActive: !hasOwnRole || found.has(event.pubkey),
  }
}

/**
 * Whether a role tag grants its role now: `[role, key]`, or with a history of Unix seconds that ends with a start.
 * `defer` stands for an end that is not known yet, so a history with it has ended; whatever else is no number grants
 * nothing.
 */
export function isActiveRole(tag: readonly string[]): boolean {
  const history = tag.slice(2)
  return (history.length === 0 || history.length % 2 === 1) && history.every(isU64)
}

/**
 * Only the first tag counts. It is compared as text, so upper-case hex names nobody; clients that write npub are
 * understood.
 */
function readMaintainersTag(event: NostrEvent): Roles {
  const [, ...values] = event.tags.find(([name]) => name === 'maintainers') ?? []
  return withoutRoles(event, values)
}

function withoutRoles({ pubkey }: NostrEvent, values: readonly string[]): Roles {
  const keys = values.map((value) => (isHex32(value) ? value : decodeNpub(value)))
  const unread = values.filter((value, index) => value !== '' && keys[index] === undefined).length
  return { ...cap(new Set(keys.flatMap((key) => key ?? [])), pubkey, unread), leads: new Set(), isAuthorActive: true }
}

function cap(found: ReadonlySet<string>, author: string, unread: number): Pick<Roles, 'listed' | 'unreadMaintainers'> {
  const others = [...found].filter((key) => key !== author)
  const listed = new Set(others.slice(0, MAX_MAINTAINERS))
  return { listed, unreadMaintainers: unread + others.length - listed.size }
}

function allMaintainers(event: NostrEvent): string[] {
  return event.tags.flatMap(([name, ...values]) => (name === 'maintainers' ? values : []))
}

function decodeNpub(text: string): string | undefined {
  return text.length === NPUB_LENGTH && text.startsWith('npub1') ? decodePublicKey(text) : undefined
}

/** As Rust parses one: a plus sign and zeros in front are allowed. */
function isU64(text: string): boolean {
  const digits = /^\+?0*(\d{1,20})$/.exec(text)?.[1]
  return digits !== undefined && BigInt(digits) <= MAX_U64
}
