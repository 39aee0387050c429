/*
 * Reads whom an announcement names as maintainers, and whether its author still is one. NIP-34 has two forms: role tags
 * (`M` lead, `m` maintainer, `o` moderator, each with a history) and the older `maintainers`. ngit-grasp 2.0 and later
 * reads both, role tags first; ngit-grasp 1.x and ngit-relay know only the older form.
 */
import { isHex32, type NostrEvent } from './event.ts'
import { decodePublicKey } from './nip19.ts'

/** `today`: role tags, or `maintainers` when there are none. `early`: `maintainers` only. */
export type RoleRule = 'today' | 'early'

/** The people in one announcement, as public keys in lower-case hex. */
export type Roles = {
  /** Current maintainers without the author, at most 100. */
  readonly listed: ReadonlySet<string>
  /** Keys of the active `M` tags, possibly including the author. With more than one, nobody leads. */
  readonly leads: ReadonlySet<string>
  /** False when all roles of the author have ended: the author left. */
  readonly isAuthorActive: boolean
  /** How many values are not public keys, or exceed the cap. */
  readonly unreadMaintainers: number
}

/** How many people one announcement may list. */
export const MAX_MAINTAINERS = 100
const MAX_U64 = 2n ** 64n - 1n
const NPUB_LENGTH = 63

/** Parses the roles in an event of kind 30617. */
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
 * Whether a role tag grants its role now. It has the form `[role, key]`, or a history of Unix seconds that ends with a
 * start. `defer` marks an unknown end, so a history with it has ended; any other non-number grants nothing.
 */
export function isActiveRole(tag: readonly string[]): boolean {
  const history = tag.slice(2)
  return (history.length === 0 || history.length % 2 === 1) && history.every(isU64)
}

/**
 * Reads only the first tag. Keys are compared as text, so upper-case hex names nobody; npub is understood because some
 * clients write it.
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

/** Parses like Rust: a plus sign and leading zeros are allowed. */
function isU64(text: string): boolean {
  const digits = /^\+?0*(\d{1,20})$/.exec(text)?.[1]
  return digits !== undefined && BigInt(digits) <= MAX_U64
}
