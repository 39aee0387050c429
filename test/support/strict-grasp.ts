import type { NostrEvent } from '../../src/nostr/event.ts'
import type { EventDecision } from './scripted-behaviour.ts'
import type { ScriptedRelay } from './scripted-relay.ts'
import type { Workbench } from './workbench.ts'

export const PURGATORY = "purgatory: won't be served until git data arrives"
export const ORPHAN = 'Event event must reference an accepted repository or accepted event'

/** A target like ngit-grasp: announcements wait for git data, and what depends on nothing that it serves is refused. */
export async function startStrictGrasp(bench: Workbench): Promise<ScriptedRelay> {
  const target = await bench.scripted()
  const serves = ({ tags }: NostrEvent): boolean =>
    tags.some(([name = '', value = '']) => {
      if (['e', 'E'].includes(name)) return target.events.has(value)
      return ['a', 'A'].includes(name) && [...target.events.values()].some((event) => isAt(event, value))
    })
  target.behaviour.onEvent = (event): EventDecision => {
    if (event.kind === 30617) return { ok: true, text: PURGATORY, store: false }
    if (event.kind === 30618) return { ok: true, text: PURGATORY, store: false }
    return serves(event) ? 'default' : { ok: false, text: ORPHAN }
  }
  return target
}

function isAt({ kind, pubkey, tags }: NostrEvent, address: string): boolean {
  return address === `${kind}:${pubkey}:${tags.find(([name]) => name === 'd')?.[1] ?? ''}`
}

/** Git data arrives: the target serves the announcement and its state. */
export function receiveGitData(target: ScriptedRelay, ...events: readonly NostrEvent[]): void {
  for (const event of events) target.events.set(event.id, event)
}
