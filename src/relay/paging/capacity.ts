import type { Stamp } from '../../nostr/event.ts'

/** No relay is known that brings fewer rows than this to a REQ that asks for more. */
const SMALLEST_PAGE = 5

/**
 * What is known of the size of a relay's pages: the most events that one has brought, and the first few that it ever
 * showed. `assumed`: a second of this many events was taken for whole because the relay had shown no others by then.
 * `until` and `since`: how it takes these words of a filter, once its pages have shown it.
 */
export type Capacity = {
  most: number
  /** The most rows that a page has brought that was asked for no more. */
  probed: number
  /** Ids that it has shown, the first 100. */
  readonly shown: Set<string>
  probedFor: number
  /** How many ids it was asked for to see whether a page holds as many. */
  probedByIds: number
  /** A question for anything at all brings nothing, although it holds something: it has to be asked narrowly. */
  isNarrow: boolean
  probing: Promise<void>
  assumed: number
  until: 'inclusive' | 'exclusive' | undefined
  since: 'inclusive' | 'exclusive' | undefined
}

const MAX_SHOWN = 100

/** A relay of which no page has been seen. */
export function createCapacity(): Capacity {
  return {
    most: 0,
    probed: 0,
    shown: new Set(),
    probedFor: 0,
    probedByIds: 0,
    isNarrow: false,
    probing: Promise.resolve(),
    assumed: 0,
    until: undefined,
    since: undefined,
  }
}

/**
 * Whether a page of `count` rows of one second may be taken for whole at a relay with nothing else to show: so few
 * events in all that a page has room for them, as far as anyone can see.
 */
export function mayBeAll(count: number, { most, shown }: Capacity): boolean {
  return count < SMALLEST_PAGE && most <= count && shown.size === count
}

/** Whether a relay that was taken for one with so few events has shown others since, and no larger page. */
export function isDisproved({ assumed, most, probed, shown }: Capacity): boolean {
  return assumed > 0 && most <= assumed && probed <= assumed && shown.size > assumed
}

/** What a page of the usual limit held. Rows without a place, foreign and repeated ones make no page larger. */
export function noteShown(capacity: Capacity, stamps: readonly Stamp[], readOver = 0): void {
  capacity.most = Math.max(capacity.most, remember(capacity, stamps) + readOver)
}

/** What a page held that was asked for less than usual. */
export function noteProbed(capacity: Capacity, stamps: readonly Stamp[], readOver = 0): void {
  capacity.probed = Math.max(capacity.probed, remember(capacity, stamps) + readOver)
}

function remember({ shown }: Capacity, stamps: readonly Stamp[]): number {
  const ids = new Set(stamps.map(({ id }) => id))
  for (const id of ids) if (shown.size < MAX_SHOWN) shown.add(id)
  return ids.size
}
