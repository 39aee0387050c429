/*
 * The ends over which `check --copies` counts: the target and the sources that the operator named. A relay that was
 * reached under two names counts once.
 */
import { Aftermath } from '../relay/aftermath.ts'
import { settleEnds, type Endpoint, type Profile } from '../relay/endpoint.ts'
import type { Peer } from '../relay/peer.ts'
import type { Budget } from './budget.ts'
import type { Run } from './run.ts'

/** An end that can be read. `aftermath` hears what takes these readings back. */
export type OpenEnd = { readonly peer: Peer; readonly budget: Budget; readonly aftermath: Aftermath }

/** One end that is counted. */
export type CopyEnd = {
  readonly url: string
  readonly isTarget: boolean
  /** From 0, the target: its place in the table of copies. */
  readonly number: number
  /** Undefined if it could not be opened. */
  readonly open: OpenEnd | undefined
}

/** Returns the ends that are counted, the target first. */
export function findCopyEnds({ target, sources, logs, options, ledger }: Run): CopyEnd[] {
  const { maxBytesPerSource: maxBytes } = options
  const ofTarget = { peer: target, budget: { bytesLeft: maxBytes, maxBytes }, aftermath: new Aftermath() }
  const ends: CopyEnd[] = [{ url: target.endpoint.url, isTarget: true, number: 0, open: ofTarget }]
  for (const log of [...logs.values()].filter(({ isDiscovered }) => !isDiscovered)) {
    const { url } = log.report()
    const source = sources.find(({ peer }) => peer.endpoint.url === url)
    const twin = source && ends.find(({ open }) => open !== undefined && isOneRelay(open.peer, source.peer))
    if (twin !== undefined) ledger.note(`${url} and ${twin.url} say that they are one relay: counted once.`)
    else {
      const open = source && { peer: source.peer, budget: source.budget, aftermath: new Aftermath() }
      ends.push({ url, isTarget: false, number: ends.length, open })
    }
  }
  return ends
}

/** Notes why something at an end may not have been seen. */
export function failEnd({ url, isTarget }: CopyEnd, reason: string, { logs, targetGaps }: Run): void {
  if (isTarget) targetGaps.note(`while copies were counted: ${reason}`)
  else logs.get(url)?.fail(reason)
}

/** Waits until no reading can be taken back any more, and notes those that were. */
export async function settleCopyEnds(ends: readonly CopyEnd[], run: Run): Promise<void> {
  const read = ends.flatMap(({ open }) => (open?.aftermath.isOpen === true ? [open.peer.endpoint] : []))
  await Promise.all(read.map((endpoint) => settleEnds(endpoint)))
  for (const end of ends) {
    const reason = end.open?.aftermath.contradiction
    if (reason !== undefined) failEnd(end, reason, run)
  }
}

/** Why an end may have more than it was seen to have (rule 1); null if it was read to its end. */
export function whyUnread({ url, isTarget, open }: CopyEnd, { logs, target, targetGaps }: Run): string | null {
  if (isTarget) return targetGaps.list()[0]?.[0] ?? (target.breadth.hides ? 'it hides some of its events' : null)
  if (open !== undefined && countBroken(open.peer.endpoint) > 0) return 'it has unreadable lines'
  return logs.get(url)?.reasons()[0]?.reason ?? null
}

function countBroken(endpoint: Endpoint): number {
  return endpoint.kind === 'file' ? endpoint.brokenLines().count : 0
}

/** Whether two ends are one relay, by its own key (NIP-11). One that lies is not counted: it loses only itself. */
function isOneRelay({ profile: one }: { readonly profile: Profile }, { profile: other }: Peer): boolean {
  return one.self !== undefined && one.self === other.self
}
