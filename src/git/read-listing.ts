import type { Listing, ObjectId } from './git-access.ts'
import { isObjectId } from './object-id.ts'
import { DELIMITER, FLUSH, writePacket, type Packet } from './pkt-line.ts'
import { isRefName } from './ref-name.ts'

/** What was listed of a repository. */
export type ListedRefs = Extract<Listing, { type: 'refs' }>

/** A server lists more refs than are taken. */
export class TooManyRefsError extends Error {}

/** The server says in git's own way that it does not serve this (an `ERR` line); the message has its words. */
export class ServerSaysError extends Error {}

/** Refs below these count; `HEAD` is listed for what it stands for. */
const PREFIXES = ['refs/heads/', 'refs/tags/', 'refs/nostr/']
const MAX_REFS = 10_000

/** What the first answer of a server holds: the refs themselves (protocol v0 and v1), or what it can do (v2). */
export type Advertisement =
  | { readonly version: 2; readonly capabilities: ReadonlyMap<string, string> }
  | { readonly version: 1; readonly listed: ListedRefs }

/** Reads the answer to `GET info/refs`. Throws if it is malformed, lists too much, or is a refusal. */
export function readAdvertisement(packets: readonly Packet[]): Advertisement {
  const all = linesOf(packets)
  const lines = all.filter((line) => line !== '# service=git-upload-pack')
  const [first = '', ...rest] = lines
  // An older git says nothing at all of a repository without refs.
  if (lines.length === 0 && all.length > 0) return { version: 1, listed: new ListingReader('sha1').finish() }
  if (first === 'version 2') return { version: 2, capabilities: readCapabilities(rest) }
  return { version: 1, listed: readOldListing(first === 'version 1' ? rest : lines) }
}

/** The body of an `ls-refs` request to a server with these capabilities. */
export function writeListRequest(capabilities: ReadonlyMap<string, string>): string {
  const canUnborn = (capabilities.get('ls-refs') ?? '').split(' ').includes('unborn')
  const lines = [
    'symrefs',
    ...(canUnborn ? ['unborn'] : []),
    'ref-prefix HEAD',
    ...PREFIXES.map((p) => `ref-prefix ${p}`),
  ]
  return writeRequest('ls-refs', capabilities, lines)
}

/**
 * The body of a `fetch` request that shows whether a server with these capabilities has an object. We claim to have it
 * already, so what is packed is nothing.
 */
export function writeProbeRequest(capabilities: ReadonlyMap<string, string>, id: ObjectId): string {
  return writeRequest('fetch', capabilities, [`want ${id}`, `have ${id}`, 'done'])
}

function writeRequest(command: string, capabilities: ReadonlyMap<string, string>, args: readonly string[]): string {
  const chosen = [
    `command=${command}`,
    ...(capabilities.has('agent') ? ['agent=ngit-sync'] : []),
    ...(capabilities.has('object-format') ? [`object-format=${formatOf(capabilities)}`] : []),
  ]
  const packets = (all: readonly string[]): string => all.map((line) => writePacket(`${line}\n`)).join('')
  return packets(chosen) + DELIMITER + packets(args) + FLUSH
}

/** Reads the answer to an `ls-refs` request. Throws if it is malformed, lists too much, or is a refusal. */
export function readListing(packets: readonly Packet[], capabilities: ReadonlyMap<string, string>): ListedRefs {
  const listing = new ListingReader(formatOf(capabilities))
  const lines = linesOf(packets)
  if (packets.at(-1)?.type !== 'flush') throw new Error('the list of refs has no end')
  for (const line of lines) {
    const [id = '', name = '', ...attributes] = line.split(' ')
    const target = attributes.find((attribute) => attribute.startsWith('symref-target:'))
    if (name === 'HEAD') listing.head = target?.slice('symref-target:'.length) ?? null
    else listing.add(id, name)
  }
  return listing.finish()
}

function linesOf(packets: readonly Packet[]): readonly string[] {
  return packets.flatMap((packet) => {
    if (packet.type !== 'line') return []
    if (packet.text.startsWith('ERR ')) throw new ServerSaysError(packet.text.slice('ERR '.length))
    return [packet.text]
  })
}

function readCapabilities(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.map((line) => {
      const [name = '', ...value] = line.split('=')
      return [name, value.join('=')]
    }),
  )
}

/** The object format of a repository with these capabilities; throws if it is unknown. */
export function formatOf(capabilities: ReadonlyMap<string, string>): 'sha1' | 'sha256' {
  const format = capabilities.get('object-format') ?? 'sha1'
  if (format !== 'sha1' && format !== 'sha256') throw new Error(`its object format ${format} is unknown`)
  return format
}

/** Protocol v0 and v1: `<id> <name>`, the first with the capabilities behind a NUL; peeled values end in `^{}`. */
function readOldListing(lines: readonly string[]): ListedRefs {
  const [first = ''] = lines
  const words = (first.split('\0')[1] ?? '').split(' ')
  const listing = new ListingReader(
    formatOf(readCapabilities(words.filter((word) => word.startsWith('object-format=')))),
  )
  const head = words.find((word) => word.startsWith('symref=HEAD:'))
  listing.head = head?.slice('symref=HEAD:'.length) ?? null
  if (!first.includes('\0')) throw new Error("the answer is not in git's protocol")
  for (const line of lines) {
    const [entry = ''] = line.split('\0')
    const space = entry.indexOf(' ')
    const name = entry.slice(space + 1)
    if (name !== 'HEAD' && !name.endsWith('^{}') && !entry.startsWith('shallow '))
      listing.add(entry.slice(0, space), name)
  }
  return listing.finish()
}

/** Gathers refs. One that git would not have says that the whole listing is not to be believed. */
class ListingReader {
  readonly #refs = new Map<string, string>()
  readonly #format: 'sha1' | 'sha256'
  head: string | null = null

  constructor(format: 'sha1' | 'sha256') {
    this.#format = format
  }

  add(id: string, name: string): void {
    // Others, such as the pull requests of a forge, are listed by protocol v0 without being asked for.
    if (!PREFIXES.some((prefix) => name.startsWith(prefix))) return
    if (!isRefName(name)) throw new Error(`it lists a ref whose name git forbids: ${name.slice(0, 100)}`)
    if (!isObjectId(id, this.#format))
      throw new Error(`it lists ${name.slice(0, 100)} with something that is no object id`)
    this.#refs.set(name, id)
    if (this.#refs.size > MAX_REFS) throw new TooManyRefsError(`it lists more than ${MAX_REFS} refs`)
  }

  finish(): ListedRefs {
    if (this.head !== null && !isRefName(this.head)) throw new Error('HEAD stands for a ref whose name git forbids')
    return { type: 'refs', refs: this.#refs, head: this.head, format: this.#format }
  }
}
