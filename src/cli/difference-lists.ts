import { parseAddress } from '../nostr/address.ts'
import { encodeEventId, encodePublicKey } from '../nostr/nip19.ts'
import type { FoundDifference } from '../run/world.ts'
import { escapeForTerminal } from './escape.ts'

/** The lists that `check` writes, one line an event, in the order of the help. */
export const LIST_NAMES = ['combined', 'missingOnTarget', 'differ', 'error'] as const

export type ListName = (typeof LIST_NAMES)[number]

/** A difference, or (`-`, with `--both`) an event that only the target has. */
export type ListedDifference = Omit<FoundDifference, 'sign' | 'isMissing'> & {
  readonly sign: FoundDifference['sign'] | '-'
}

const LIST_OF: Readonly<Record<ListedDifference['sign'], ListName | undefined>> = {
  '+': 'missingOnTarget',
  '*': 'differ',
  '!': 'error',
  '-': undefined,
}

/** Returns the lists in which a difference stands. */
export function listsOf({ sign }: ListedDifference): readonly ListName[] {
  const own = LIST_OF[sign]
  return own === undefined ? ['combined'] : ['combined', own]
}

/** One line for a difference: sign, `nevent1…`, kind, `npub1…/identifier` (`-` without a known repository). */
export function formatDifference({ sign, event, repository }: ListedDifference): string {
  return `${sign} ${encodeEventId(event.id)} ${event.kind} ${formatRepository(repository)}`
}

function formatRepository(repository: string | undefined): string {
  if (repository === undefined) return '-'
  const address = parseAddress(repository)
  if (address === undefined) return escapeForTerminal(repository)
  return `${encodePublicKey(address.pubkey)}/${escapeForTerminal(address.d)}`
}
