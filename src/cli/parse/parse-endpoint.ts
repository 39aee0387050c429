import { existsSync } from 'node:fs'
import { normalize, resolve } from 'node:path'
import { foldLoopback, normalizeRelayUrl } from '../../nostr/host.ts'
import { ok, wrong, wrongSecret, type Parsed, type Wrong } from './parsed.ts'

/** A mistyped scheme: `wss:/`, `wss//`, `ws:relay.one`, `wss;//`, `://`. */
const MISTYPED = /^(?:(wss?|https?)(?:[:;][/\\]{0,3}|[/\\]{2,3})|[:;]?\/\/(?=[a-z0-9]))/i
/** A host without a path, or with a port: `relay.one`, `localhost:7443`, `relay.one:7443/path`. */
const HOST = /^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])\.?(?:(?::\d{1,5})?(?:[?#]|$)|:\d{1,5}\/)/i
const LOCAL = /^(?:localhost|127(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:\/|$)/i
const FILE_ENDINGS = /\.(?:jsonl?|ndjson|gz|zst|xz|bz2|txt|log|csv|db|dump|events?|export|bak|backup|old|new|out|tmp)$/i

/**
 * Parses an endpoint: a relay URL (canonicalised), a file name, or `-` for standard input or output. A text that looks
 * like a relay and is not an existing file is a mistake: nobody means to write events to a file called `relay.one`.
 */
export function parseEndpoint(text: string): Parsed<string> {
  const scheme = schemeOf(text)
  if (scheme === undefined) return meantRelay(text) ?? parseFileName(text)
  if (scheme === 'ws' || scheme === 'wss') return parseRelayUrl(text)
  if (hasUserinfo(text)) return wrongUserinfo()
  if (scheme === 'http' || scheme === 'https')
    return slip(text, `is not a relay: give ${scheme === 'http' ? 'ws' : 'wss'}://…`)
  return slip(text, `is not a relay: give a ws:// or wss:// URL, or a file name`)
}

/** Parses a relay into a canonical URL. */
export function parseRelay(text: string): Parsed<string> {
  if (schemeOf(text) !== undefined) return parseEndpoint(text)
  return meantRelay(text) ?? wrong('is not a relay: give a ws:// or wss:// URL')
}

/**
 * Parses the public URL of the target into a canonical relay URL: GRASP serves git and Nostr at the same host and port.
 */
export function parseService(text: string): Parsed<string> {
  const scheme = schemeOf(text)
  if (scheme === undefined) return wrong('is not a URL: give for example wss://git.example.org')
  if (!['ws', 'wss', 'http', 'https'].includes(scheme)) return wrong('is not a ws://, wss://, http:// or https:// URL')
  return parseRelayUrl(text.replace(/^http/i, 'ws'))
}

/**
 * Whether two endpoints are the same relay, by any loopback name, or the same file. Never true for `-`: standard input
 * and standard output are different files.
 */
export function isSameEndpoint(a: string, b: string): boolean {
  if (a === '-' || b === '-') return false
  if (schemeOf(a) === undefined && schemeOf(b) === undefined) return resolve(a) === resolve(b)
  return foldLoopback(a) === foldLoopback(b)
}

/** A file name. */
export function parseFileName(text: string): Parsed<string> {
  if (text.includes('\0')) return wrong('is not a file name')
  return ok(text === '-' ? text : normalize(text))
}

/** The problem with a text that is meant to be a relay; `undefined` for a file name. */
function meantRelay(text: string): Wrong | undefined {
  const mistyped = MISTYPED.exec(text)
  const isHost = HOST.test(text) && /[.:]/.test(text) && !FILE_ENDINGS.test(text)
  const isLocal = LOCAL.test(text) && text.includes(':')
  if (mistyped === null && !isHost && !isLocal) return undefined
  if (!text.includes('\0') && existsSync(text)) return undefined
  if (/^[^?#]*@/.test(text)) return wrongUserinfo()
  const rest = text.slice(mistyped?.[0].length ?? 0)
  return slip(
    text,
    `is not a relay URL, and no file of that name is there: give ${suggestion(rest, mistyped?.[1])}, or ./… for a file`,
  )
}

/** Query strings may hold a secret, so they are neither repeated nor suggested. */
function slip(text: string, problem: string): Wrong {
  return text.includes('?') ? wrongSecret(problem) : wrong(problem)
}

function suggestion(rest: string, scheme = ''): string {
  const place = rest.replaceAll('\\', '/').split(/[?#]/, 1)[0] ?? ''
  const isPlain = /^(?:ws|http)$/i.test(scheme) || LOCAL.test(place)
  return normalizeRelayUrl(`${isPlain ? 'ws' : 'wss'}://${place}`) ?? `${isPlain ? 'ws' : 'wss'}://…`
}

function parseRelayUrl(text: string): Parsed<string> {
  if (hasUserinfo(text)) return wrongUserinfo()
  const url = normalizeRelayUrl(text)
  return url === undefined ? slip(text, 'is not a relay URL: give for example wss://relay.example.org') : ok(url)
}

function wrongUserinfo(): Wrong {
  return wrongSecret('holds a user name or a password: give the URL without them (the part before @)')
}

function schemeOf(text: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
}

function hasUserinfo(text: string): boolean {
  return /^[^/]*:\/\/[^/?#]*@/.test(text.replaceAll('\\', '/'))
}
