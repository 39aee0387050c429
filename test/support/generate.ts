import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, comment, issue, patch, pullRequest, repositoryAddress, state, status } from './builders.ts'
import { keyOf, type Key } from './sign.ts'

/** The size and the clock of a generated history. */
export type HistoryOptions = {
  /** @default 10 */
  readonly repositories?: number
  /** @default 10 */
  readonly rootsPerRepository?: number
  /** @default 5 */
  readonly commentsPerRoot?: number
  /** Whether each root ends with a status. @default true */
  readonly statuses?: boolean
  /** The same seed gives the same events, byte for byte. @default 1 */
  readonly seed?: number
  /** `created_at` of the first event. @default 1_700_000_000 */
  readonly startAt?: number
  /** Between one event and the next; 0 puts all of them in one second. @default 60 */
  readonly spacingSeconds?: number
  /** What the announcements name as `clone` (`<url>/<npub-less owner>/<d>.git`) and `relays`. @default none */
  readonly service?: string
}

type Repository = { readonly owner: Key; readonly d: string; readonly address: string }
type Scene = {
  readonly random: () => number
  readonly createdAt: () => number
  readonly options: Required<HistoryOptions>
}

const CONTRIBUTORS = 40

/** How many events `generateHistory` yields for these options. */
export function historySize(options: HistoryOptions = {}): number {
  const { repositories, rootsPerRepository, commentsPerRoot, statuses } = withDefaults(options)
  return repositories * (2 + rootsPerRepository * (1 + commentsPerRoot + (statuses ? 1 : 0)))
}

/**
 * A history of signed events in order of `created_at`: every announcement with its state, then one root after the other
 * through all repositories, each with its comments and status. A cut at any time so leaves every repository with a
 * part of its history.
 */
export function* generateHistory(options: HistoryOptions = {}): Generator<NostrEvent> {
  const scene = createScene(withDefaults(options))
  const repositories = Array.from({ length: scene.options.repositories }, (_, index) => createRepository(scene, index))
  for (const repository of repositories) yield* foundRepository(repository, scene)
  for (let round = 0; round < scene.options.rootsPerRepository; round += 1) {
    for (const repository of repositories) yield* discussRoot(repository, scene)
  }
}

function* foundRepository({ owner, d }: Repository, { createdAt, random, options }: Scene): Generator<NostrEvent> {
  const { service } = options
  const clone = service === '' ? [] : [`${service.replace(/^ws/, 'http')}/${owner.pubkey}/${d}.git`]
  yield announcement(owner, d, { createdAt: createdAt(), clone, relays: service === '' ? [] : [service] })
  yield state(owner, d, { createdAt: createdAt(), commit: hexOf(random, 40) })
}

function* discussRoot({ owner, address }: Repository, scene: Scene): Generator<NostrEvent> {
  const { createdAt, random, options } = scene
  const buildRoot = pick([issue, issue, patch, pullRequest], random)
  const root = buildRoot(address, contributor(scene), { createdAt: createdAt(), content: sentence(random) })
  yield root
  let parent = root
  for (let index = 0; index < options.commentsPerRoot; index += 1) {
    const extra = { createdAt: createdAt(), content: sentence(random), root }
    const next = comment(random() < 0.7 ? root : parent, contributor(scene), extra)
    yield next
    parent = next
  }
  const ending = pick([1630, 1631, 1632, 1633] as const, random)
  if (options.statuses) yield status(ending, root, owner, { createdAt: createdAt() })
}

function createRepository({ options }: Scene, index: number): Repository {
  const owner = keyOf(`seed-${options.seed}-owner-${index}`)
  const d = `repository-${index}`
  return { owner, d, address: repositoryAddress(owner, d) }
}

function createScene(options: Required<HistoryOptions>): Scene {
  let next = options.startAt
  const createdAt = (): number => {
    const now = next
    next += options.spacingSeconds
    return now
  }
  return { random: createRandom(options.seed), createdAt, options }
}

function withDefaults(options: HistoryOptions): Required<HistoryOptions> {
  return {
    repositories: 10,
    rootsPerRepository: 10,
    commentsPerRoot: 5,
    statuses: true,
    seed: 1,
    startAt: 1_700_000_000,
    spacingSeconds: 60,
    service: '',
    ...options,
  }
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state32 = seed >>> 0
  return () => {
    state32 = (state32 + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state32 ^ (state32 >>> 15), state32 | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function contributor({ random, options }: Scene): Key {
  return keyOf(`seed-${options.seed}-contributor-${Math.floor(random() * CONTRIBUTORS)}`)
}

function pick<T>(values: readonly [T, ...T[]], random: () => number): T {
  return values[Math.floor(random() * values.length)] ?? values[0]
}

function hexOf(random: () => number, length: number): string {
  return Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('')
}

function sentence(random: () => number): string {
  const words = ['build', 'breaks', 'on', 'the', 'second', 'push', 'after', 'a', 'rebase', 'of', 'main', 'with', 'ngit']
  return Array.from({ length: 5 + Math.floor(random() * 40) }, () => words[Math.floor(random() * words.length)]).join(
    ' ',
  )
}
