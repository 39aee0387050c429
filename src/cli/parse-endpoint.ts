import { normalize, resolve } from 'node:path'
import { normalizeRelayUrl } from '../nostr/host.ts'
import { ok, wrong, wrongSecret, type Parsed, type Wrong } from './parsed.ts'

/** Where events come from or go to: a normalised relay URL, a file name, or `-` for standard input or output. */
export function parseEndpoint(text: string): Parsed<string> {
  const scheme = schemeOf(text)
  if (scheme === undefined) return parseFileName(text)
  if (scheme === 'http' || scheme === 'https') {
    return hasUserinfo(text) ? wrongUserinfo() : wrong(`is not a relay: give ${scheme === 'http' ? 'ws' : 'wss'}://…`)
  }
  if (scheme !== 'ws' && scheme !== 'wss') return wrong('is not a relay: give a ws:// or wss:// URL, or a file name')
  return parseRelayUrl(text)
}

/** A relay, as a normalised URL. */
export function parseRelay(text: string): Parsed<string> {
  return schemeOf(text) === undefined ? wrong('is not a relay: give a ws:// or wss:// URL') : parseEndpoint(text)
}

/** The public URL of the target, always as a normalised relay URL: GRASP serves git and Nostr at one host and port. */
export function parseService(text: string): Parsed<string> {
  const scheme = schemeOf(text)
  if (scheme === undefined) return wrong('is not a URL: give for example wss://git.example.org')
  if (!['ws', 'wss', 'http', 'https'].includes(scheme)) return wrong('is not a ws://, wss://, http:// or https:// URL')
  return parseRelayUrl(text.replace(/^http/i, 'ws'))
}

/** Whether two endpoints are one relay or one file. `-` never is: standard input and standard output are different files. */
export function isSameEndpoint(a: string, b: string): boolean {
  if (a === '-' || b === '-') return false
  return a === b || (schemeOf(a) === undefined && schemeOf(b) === undefined && resolve(a) === resolve(b))
}

/** A file name. */
export function parseFileName(text: string): Parsed<string> {
  if (text.includes('\0')) return wrong('is not a file name')
  return ok(text === '-' ? text : normalize(text))
}

function parseRelayUrl(text: string): Parsed<string> {
  if (hasUserinfo(text)) return wrongUserinfo()
  const url = normalizeRelayUrl(text)
  return url === undefined ? wrong('is not a relay URL: give for example wss://relay.example.org') : ok(url)
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
