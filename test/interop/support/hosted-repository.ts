import type { NostrEvent } from '../../../src/nostr/event.ts'
import { state } from '../../support/builders.ts'
import { alice, smallRepository, type SmallRepository } from '../../support/scenes.ts'
import type { Key } from '../../support/sign.ts'
import { waitFor } from '../../support/wait-for.ts'
import type { Outcome } from '../../support/workbench.ts'
import { createGitRepository, type GitRepository } from '../../support/git-repository.ts'
import type { Grasp } from './grasp.ts'

/** A small repository that names a GRASP relay, and its git data. */
export type HostedRepository = SmallRepository & {
  readonly owner: Key
  readonly d: string
  readonly git: GitRepository
}

/** What may be chosen of one. `clone`: further URLs. */
export type HostedOptions = {
  readonly owner?: Key
  readonly d?: string
  readonly startAt?: number
  readonly clone?: readonly string[]
  /** Whose commit its state names. @default a repository of its own */
  readonly git?: GitRepository
}

/** Announcement, state, issue and comment of a repository that wants to be served by this relay. */
export async function hostedRepository(grasp: Grasp, options: HostedOptions = {}): Promise<HostedRepository> {
  const { owner = alice, d = 'hello', clone = [], git = await createGitRepository(d), ...rest } = options
  const urls = [grasp.service.clone(owner, d), ...clone]
  const repository = smallRepository({ ...rest, d, owner, clone: urls, relays: [grasp.service.relay] })
  const pushed = state(owner, d, { commit: git.commit, createdAt: repository.state.created_at })
  const events = repository.events.map((event) => (event === repository.state ? pushed : event))
  return { ...repository, state: pushed, events, owner, d, git }
}

/** Pushes the git data to the relay and resolves when it serves the announcement and the state. */
export async function pushGitData(grasp: Grasp, { owner, d, git, announced, state: pushed }: HostedRepository) {
  await git.push(grasp.service.clone(owner, d))
  await waitUntilServed(grasp, [announced, pushed])
}

/** Resolves when the relay serves all of these. */
export async function waitUntilServed(grasp: Grasp, events: readonly NostrEvent[], timeoutMs = 10_000): Promise<void> {
  const areServed = async (): Promise<boolean> => {
    const served = new Set((await grasp.events()).map(({ id }) => id))
    return events.every(({ id }) => served.has(id))
  }
  await waitFor(areServed, { timeoutMs, everyMs: 100, what: `${events.length} events at ${grasp.url}` })
}

/** What matters most of a run, for comparison. */
export function summaryOf({ code, report }: Outcome) {
  const { published, parked, refused } = report.totals
  return { code, published, parked, refused }
}

/** A night on which there was nothing to do. */
export const NOTHING_TO_DO = { code: 0, published: 0, parked: 0, refused: 0 }
