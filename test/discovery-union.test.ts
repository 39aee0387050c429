import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { NostrEvent } from '../src/nostr/event.ts'
import { announcement, comment, issue, repositoryAddress, SOME_TIME, state } from './support/builders.ts'
import { runInProcess } from './support/in-process.ts'
import { createMemoryEndpoint, type MemoryEndpoint } from './support/memory-endpoint.ts'
import { alice, bob } from './support/scenes.ts'
import { idsOf } from './support/workbench.ts'
import { openTemporaryState, type TemporaryState } from './support/temporary-state.ts'

const RELAYS = ['wss://a.org', 'wss://b.org', 'wss://c.org']
const TARGET = 'wss://target.org'

/** Where a repository's events are, as indices into RELAYS; -1 is the source that the operator names. */
type Placed = {
  /** Each version of the announcement, oldest first: where it is, and which relays it names. */
  readonly versions: readonly { readonly at: number; readonly names: readonly number[] }[]
  readonly state: readonly number[]
  readonly issue: readonly number[]
  readonly comment: readonly number[]
}

const place = fc.integer({ min: -1, max: RELAYS.length - 1 })
const places = fc.uniqueArray(place, { minLength: 1, maxLength: 3 })
const names = fc.uniqueArray(fc.nat(RELAYS.length - 1), { minLength: 1, maxLength: 2 })
const repository: fc.Arbitrary<Placed> = fc.record({
  versions: fc.array(fc.record({ at: place, names }), { minLength: 1, maxLength: 4 }),
  state: places,
  issue: places,
  comment: places,
})

type Repository = Placed & {
  readonly address: string
  readonly announcements: readonly NostrEvent[]
  readonly events: { readonly state: NostrEvent; readonly issue: NostrEvent; readonly comment: NostrEvent }
}

function build(placed: Placed, index: number): Repository {
  const d = `d${index}`
  const at = SOME_TIME + 100 * index
  const bug = issue(repositoryAddress(alice, d), bob, { createdAt: at + 11, content: d })
  return {
    ...placed,
    address: repositoryAddress(alice, d),
    announcements: placed.versions.map((version, age) =>
      announcement(alice, d, { createdAt: at + age, relays: version.names.map((name) => RELAYS[name] ?? '') }),
    ),
    events: {
      state: state(alice, d, { createdAt: at + 10 }),
      issue: bug,
      comment: comment(bug, bob, { createdAt: at + 12 }),
    },
  }
}

/** Who is asked about a repository: the source, and what the newest announcement names that was found until then. */
function askedAbout({ versions }: Placed): Set<number> {
  const asked = new Set<number>([-1])
  for (let before = 0; before !== asked.size;) {
    before = asked.size
    const newest = versions.findLast(({ at }) => asked.has(at))
    for (const name of newest?.names ?? []) asked.add(name)
  }
  return asked
}

/** What has to arrive at the target: nothing of a repository that the source does not announce. */
function expectedOf(found: Repository): NostrEvent[] {
  const asked = askedAbout(found)
  if (!found.versions.some(({ at }) => at === -1)) return []
  const isThere = (at: readonly number[]): boolean => at.some((each) => asked.has(each))
  const newest = found.announcements.findLast((_, age) => asked.has(found.versions[age]?.at ?? NaN))
  return [
    ...(newest === undefined ? [] : [newest]),
    ...(isThere(found.state) ? [found.events.state] : []),
    ...(isThere(found.issue) ? [found.events.issue] : []),
    ...(isThere(found.issue) && isThere(found.comment) ? [found.events.comment] : []),
  ]
}

function relayAt(at: number, repositories: readonly Repository[]): MemoryEndpoint {
  const events = repositories.flatMap(({ announcements, events: each, ...placed }) => [
    ...announcements.filter((_, age) => placed.versions[age]?.at === at),
    ...(['state', 'issue', 'comment'] as const).filter((kind) => placed[kind].includes(at)).map((kind) => each[kind]),
  ])
  const newestOnly = events.filter(
    (event) =>
      event.kind !== 30617 ||
      !events.some((other) => other.kind === 30617 && other.created_at > event.created_at && sameD(event, other)),
  )
  return createMemoryEndpoint({ url: RELAYS[at] ?? 'wss://named.org', events: newestOnly })
}

function sameD(one: NostrEvent, other: NostrEvent): boolean {
  return one.tags[0]?.[1] === other.tags[0]?.[1]
}

describe('discovery', () => {
  it('brings the union of what the relays hold about the repositories that name them, asks no more, and nothing twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(repository, { minLength: 1, maxLength: 4 }), async (placed) => {
        const repositories = placed.map(build)
        const relays = RELAYS.map((_, at) => relayAt(at, repositories))
        const target = createMemoryEndpoint({ url: TARGET })
        const source = relayAt(-1, repositories)
        const first = openTemporaryState({ target: TARGET })
        const run = (opened: TemporaryState) =>
          runInProcess({
            sources: [source],
            target,
            state: opened.state,
            options: { discovery: { max: 20, allowPrivate: false, allowInsecure: false } },
            strangers: {
              addressesOf: async (url) => [url === TARGET ? '1.1.1.1' : '8.8.8.8'],
              open: (url) => relays[RELAYS.indexOf(url)] ?? createMemoryEndpoint({ url }),
            },
          })
        const exits = [(await run(first)).exit]
        const sent = target.published.length
        exits.push((await run(openTemporaryState({ target: TARGET, file: first.file }))).exit)
        // Where no side that was named shows anything, nothing was compared.
        const exit = source.events.size === 0 ? 3 : 0
        expect([exits, target.published.length]).toEqual([[exit, exit], sent])
        expect([...target.events.keys()].toSorted()).toEqual(idsOf(repositories.flatMap(expectedOf)))
        for (const [at, relay] of relays.entries()) {
          const foreign = repositories.filter((each) => !isAnnounced(each) || !askedAbout(each).has(at))
          const asked = JSON.stringify(relay.filters) + JSON.stringify(coverageOf(relay.url, first))
          for (const { address, events } of foreign) {
            expect(asked).not.toContain(address)
            expect(asked).not.toContain(events.issue.id)
          }
        }
      }),
      { numRuns: 60 },
    )
  })
})

function isAnnounced({ versions }: Placed): boolean {
  return versions.some(({ at }) => at === -1)
}

function coverageOf(url: string, { db }: TemporaryState): unknown[] {
  return db.prepare('SELECT anchor FROM coverage WHERE source = ?').all(url)
}
