import { hostedAnchor } from '../checkpoint/layers.ts'
import { UsageError } from '../errors.ts'
import { parseAddress } from '../nostr/address.ts'
import { readAnnouncement } from '../nostr/announcement.ts'
import { parseEvent, type NostrEvent } from '../nostr/event.ts'
import { KIND } from '../nostr/kinds.ts'
import { encodePublicKey } from '../nostr/nip19.ts'
import { keepValid } from '../nostr/verifier.ts'
import type { Endpoint } from '../relay/endpoint.ts'
import { withinBudget } from '../run/budget.ts'
import { hostOfPullRequests } from './scope-choice.ts'
import { hostsNamedMost } from './scope.ts'
import type { ScopedRun } from './scoped-run.ts'
import { suggestSimilar } from './suggest.ts'

const ASKED = 200
const SHOWN = 5
const SHOWN_LENGTH = 60
/** Longer identifiers are not typed by a person. */
const COMPARED_LENGTH = 100

/**
 * Throws UsageError when the scope matches nothing: no announcement is in a `listed` scope, or nobody announces
 * repositories and authors named on the command line. The latter are only noted when something was not read to its end.
 */
export async function refuseEmptyScope(run: ScopedRun): Promise<void> {
  if (run.choice.scope.type === 'listed') return refuseUnlisted(run)
  const unknown = namesNotAnnounced(run)
  if (unknown.length === 0) return
  if (hasReadAnnouncements(run)) throw new UsageError(await Promise.all(unknown.map((name) => problemOf(name, run))))
  for (const name of unknown) run.ledger.note(`No announcement of ${labelOf(name)} was found in what could be read.`)
}

function refuseUnlisted({ choice, catalog, options, target, world }: ScopedRun): void {
  if (choice.scope.type !== 'listed' || !catalog.hasReadAnnouncements()) return
  if (catalog.hasAnyOwner()) return
  const host = hostOfPullRequests(choice.scope, target.profile)
  const { anchors } = world.state
  // Another shard knows whether it hosts any.
  if (host !== undefined && (anchors.last('threads') > 0 || !anchors.has(hostedAnchor(host)))) return
  const hosts = hostsNamedMost(catalog.announcements(), 3)
  const named = hosts.length === 0 ? '' : `; they name ${hosts.join(', ')} most`
  const hint = options.service === undefined ? 'give its public URL with --service, or --scope all' : 'check --service'
  throw new UsageError([
    `no announcement names ${choice.scope.service.name} in clone and relays (scope of ${target.endpoint.url})${named}: ${hint}`,
  ])
}

/** A name that was asked for: one repository of an author, or (`identifier` undefined) all of them. */
type Name = { readonly author: string; readonly identifier: string | undefined }

/** Returns the named repositories and authors without a known announcement, from this run or an earlier one. */
function namesNotAnnounced({ choice: { scope }, catalog, world }: ScopedRun): Name[] {
  if (scope.type !== 'named') return []
  const known = [...catalog.announcements()]
  const [addresses, authors] = [
    new Set(known.map(({ address }) => address)),
    new Set(known.map(({ pubkey }) => pubkey)),
  ]
  const { anchors } = world.state
  const repositories = scope.addresses.filter((address) => !addresses.has(address) && !anchors.has(address))
  return [
    ...repositories.map((address) => {
      const { pubkey: author = '', d: identifier } = parseAddress(address) ?? {}
      return { author, identifier }
    }),
    ...scope.authors.filter((author) => !authors.has(author)).map((author) => ({ author, identifier: undefined })),
  ]
}

/** Whether target and sources showed all announcements that were asked for. The target did, or the run had ended. */
function hasReadAnnouncements({ logs, world }: ScopedRun): boolean {
  const isWhole = (endpoint: Endpoint): boolean => endpoint.kind === 'relay' || endpoint.brokenLines().count === 0
  return (
    [...logs.values()].every((log) => log.hasRead('announcements')) && [world.target, ...world.sources].every(isWhole)
  )
}

async function problemOf(name: Name, run: ScopedRun): Promise<string> {
  const what = `no source announces ${labelOf(name)}, nor does the target`
  if (name.identifier === undefined) return `${what}: check --author`
  const identifiers = await findIdentifiers(name.author, run)
  if (identifiers.length === 0) return `${what}, and nothing else by this author: check --repo`
  const similar = suggestSimilar(
    name.identifier,
    identifiers.filter(({ length }) => length <= COMPARED_LENGTH),
  )
  return similar === undefined ? `${what}: ${listed(identifiers)}` : `${what}: did you mean ${similar}?`
}

function listed(identifiers: readonly string[]): string {
  const shown = identifiers.slice(0, SHOWN).map(shorten)
  const hidden = identifiers.length - shown.length
  return `the author announces ${shown.join(', ')}${hidden > 0 ? ` and ${hidden} more` : ''}`
}

/** The identifiers of an author's repositories at the target and the sources, the newest announcement first. */
async function findIdentifiers(author: string, { target, sources, world }: ScopedRun): Promise<string[]> {
  const filter = { kinds: [KIND.announcement], authors: [author], limit: ASKED }
  const endpoints = [target.endpoint, ...sources.map(({ peer, budget }) => withinBudget(peer.endpoint, budget))]
  const pages = await Promise.all(endpoints.map((endpoint) => endpoint.request(filter)))
  const rows = pages.flatMap((page) => page.rows.slice(0, ASKED))
  const events = rows.flatMap((row) => parseEvent(row) ?? []).filter((event) => isBy(event, author))
  const distinct = [...new Map(events.map((event) => [event.id, event])).values()]
  const valid: NostrEvent[] = []
  for (let start = 0; start < distinct.length; start += ASKED) {
    valid.push(...(await keepValid(distinct.slice(start, start + ASKED), world.verifier)))
  }
  valid.sort((a, b) => b.created_at - a.created_at)
  return [...new Set(valid.map((event) => readAnnouncement(event).identifier))].filter((name) => name !== '')
}

function isBy({ kind, pubkey }: NostrEvent, author: string): boolean {
  return kind === KIND.announcement && pubkey === author
}

function labelOf({ author, identifier }: Name): string {
  const npub = encodePublicKey(author)
  return identifier === undefined ? `a repository of ${npub}` : `${npub}/${shorten(identifier)}`
}

function shorten(text: string): string {
  const characters = [...text.slice(0, 2 * SHOWN_LENGTH)]
  return characters.length > SHOWN_LENGTH ? `${characters.slice(0, SHOWN_LENGTH).join('')}…` : text
}
