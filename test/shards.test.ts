import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { addressOf } from '../src/nostr/address.ts'
import type { NostrEvent } from '../src/nostr/event.ts'
import type { RunOptions, ScopeRequest } from '../src/report/run-options.ts'
import { stateKey } from '../src/store/state-key.ts'
import {
  announcement,
  comment,
  deletion,
  graspList,
  reaction,
  repositoryAddress,
  SOME_TIME,
  state,
} from './support/builders.ts'
import { runInProcess } from './support/in-process.ts'
import { createMemoryEndpoint } from './support/memory-endpoint.ts'
import { alice, bob, carol, dave } from './support/scenes.ts'
import { signEvent } from './support/sign.ts'
import { openTemporaryState } from './support/temporary-state.ts'
import { idsOf } from './support/workbench.ts'

const TARGET = 'wss://git.example.com'
const PEOPLE = [alice, bob, carol, dave]
const SERVICE = { clone: [`https://git.example.com/x.git`], relays: [TARGET] }

const person = fc.nat(PEOPLE.length - 1)
const name = fc.nat(3)
const repository = fc.record({ owner: person, name })

/** What people write, in order of time; `on` counts back through what was written before. */
const written = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('announcement' as const),
      by: person,
      name,
      listed: fc.boolean(),
      maintainers: fc.uniqueArray(person, { maxLength: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('state' as const), by: person, name }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('list' as const), by: person }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('issue' as const),
      by: person,
      of: fc.array(repository, { minLength: 1, maxLength: 2 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('comment' as const),
      by: person,
      on: fc.nat(9),
      quotes: fc.option(repository),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reaction' as const), by: person, on: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('deletion' as const), on: fc.nat(9) }) },
)
type Written = typeof written extends fc.Arbitrary<infer T> ? T : never

const scope: fc.Arbitrary<ScopeRequest> = fc.oneof(
  fc.constant({ type: 'all' } as const),
  fc.constant({ type: 'listed' } as const),
  fc.record({
    type: fc.constant('named' as const),
    addresses: fc.array(
      repository.map(({ owner, name: d }) => ({ kind: 30_617, pubkey: keyAt(owner).pubkey, d: `d${d}` })),
      { minLength: 1, maxLength: 2 },
    ),
    authors: fc.array(
      person.map((each) => keyAt(each).pubkey),
      { maxLength: 1 },
    ),
  }),
)

const scene = fc.record({
  events: fc.array(written, { minLength: 4, maxLength: 18 }),
  scope,
  of: fc.integer({ min: 2, max: 4 }),
  followUps: fc.boolean(),
  held: fc.array(fc.boolean(), { minLength: 18, maxLength: 18 }),
})

function keyAt(index: number) {
  return PEOPLE[index] ?? alice
}

function addressAt({ owner, name: d }: { readonly owner: number; readonly name: number }): string {
  return repositoryAddress(keyAt(owner), `d${d}`)
}

function write(scenes: readonly Written[]): NostrEvent[] {
  const events: NostrEvent[] = []
  for (const [index, each] of scenes.entries()) {
    const made = make(each, events, SOME_TIME + index)
    if (made !== undefined) events.push(made)
  }
  return events
}

function make(each: Written, before: readonly NostrEvent[], createdAt: number): NostrEvent | undefined {
  const on = 'on' in each ? before[before.length - 1 - each.on] : undefined
  switch (each.type) {
    case 'announcement': {
      const extra = { createdAt, maintainers: each.maintainers.map(keyAt), ...(each.listed ? SERVICE : {}) }
      return announcement(keyAt(each.by), `d${each.name}`, extra)
    }
    case 'state':
      return state(keyAt(each.by), `d${each.name}`, { createdAt })
    case 'list':
      return graspList(keyAt(each.by), [TARGET], { createdAt })
    case 'issue': {
      const tags = each.of.map((of) => ['a', addressAt(of)])
      return signEvent(keyAt(each.by), { kind: 1621, created_at: createdAt, tags, content: 'it breaks' })
    }
    case 'comment': {
      if (on === undefined) return undefined
      const quoted = each.quotes === null ? [] : [['q', addressAt(each.quotes)]]
      const { tags, content } = comment(on, keyAt(each.by), { createdAt })
      return signEvent(keyAt(each.by), { kind: 1111, created_at: createdAt, tags: [...tags, ...quoted], content })
    }
    case 'reaction':
      return on === undefined ? undefined : reaction(on, keyAt(each.by), { createdAt })
    case 'deletion':
      return on === undefined || on.kind === 5
        ? undefined
        : deletion({ ids: [on.id] }, keyAt(PEOPLE.findIndex(({ pubkey }) => pubkey === on.pubkey)), { createdAt })
  }
}

/**
 * What is sent for something out of scope, such as its deletion: a filter for several authors and identifiers brings more
 * than was asked for, and that of one run more than those of its shards. `scope`: the ids and addresses in scope.
 */
function idsOfAccidents(sent: readonly NostrEvent[], scope: ReadonlySet<string>, events: readonly NostrEvent[]) {
  const accidents = new Set<string>()
  // Events stand in order of time, so what refers to one comes after it.
  for (const event of events.filter(({ id }) => sent.some((each) => each.id === id))) {
    const values = new Set(event.tags.map(([, value = '']) => value))
    const referred = events.filter((other) => values.has(other.id) || values.has(addressOf(other) ?? ''))
    const isOutside = (other: NostrEvent): boolean => !scope.has(nameOf(other)) || accidents.has(other.id)
    if (referred.length > 0 && referred.every(isOutside)) accidents.add(event.id)
  }
  return accidents
}

function nameOf(event: NostrEvent): string {
  return addressOf(event) ?? event.id
}

describe('shards', () => {
  it('together send exactly what one run without shards sends, whatever the scope, and each ends as that run does', async () => {
    await fc.assert(
      fc.asyncProperty(scene, async ({ events: scenes, scope: asked, of, followUps, held }) => {
        const events = write(scenes)
        const atTarget = events.filter((_, index) => held[index])
        const run = async (number: number | undefined, changes: Partial<RunOptions> = {}, stored = atTarget) => {
          const shard = number === undefined ? undefined : { number, of }
          const source = createMemoryEndpoint({ url: 'wss://source.example', events })
          const target = createMemoryEndpoint({ url: TARGET, events: stored })
          const { state: opened, db } = openTemporaryState({ target: stateKey(TARGET, shard) })
          const options = { scope: asked, shard, followUps, service: TARGET, ...changes }
          const outcome = await runInProcess({ sources: [source], target, state: opened, options }).then(
            ({ exit, scope: { repositories } }) => ({ exit, repositories }),
            (error: unknown) => ({ exit: String(error), repositories: 0 }),
          )
          db.close()
          return { ...outcome, published: target.published }
        }
        const whole = await run(undefined)
        const shards = await Promise.all(Array.from({ length: of }, (_, index) => run(index + 1)))
        const union = new Set(shards.flatMap(({ published }) => idsOf(published)))
        const sent = new Set(idsOf(whole.published))
        expect([...union].filter((id) => !sent.has(id))).toEqual([])
        const lost = whole.published.filter(({ id }) => !union.has(id))
        if (lost.length > 0) {
          const { published } = await run(undefined, { deletions: 'skip' }, [])
          const accidents = idsOfAccidents(lost, new Set(published.map(nameOf)), events)
          expect(lost.filter(({ id }) => !accidents.has(id))).toEqual([])
        }
        // Only the shard of a repository learns that its author took back the last announcement of the scope.
        if (typeof whole.exit === 'string') expect(shards.map(({ exit }) => exit)).toContain(whole.exit)
        else expect(shards.map(({ exit }) => exit)).toEqual(shards.map(() => whole.exit))
        expect(shards.reduce((sum, { repositories }) => sum + repositories, 0)).toBe(whole.repositories)
      }),
      { numRuns: Number(process.env['SHARD_RUNS'] ?? 40) },
    )
  }, 3_600_000)
})
