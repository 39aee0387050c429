import type { Stamp } from '../../nostr/event.ts'

/** No known relay returns fewer rows than this to a REQ that asks for more. */
const SMALLEST_PAGE = 5

/**
 * What is known about the size of a relay's pages: the most events in one page, and the first few events ever shown.
 * `assumed`: a second with this many events was assumed whole because the relay had shown no others by then. `until`
 * and `since`: how the relay interprets these fields, once its pages have shown it.
 */
export type Capacity = {
  most: number
  /** The most rows in a page that was asked with a smaller limit. */
  probed: number
  /** The fewest rows of a page that was cut off: pages may become smaller during a run. */
  cutAt: number
  /** The most rows of a page that was believed to be whole because others were larger. */
  believed: number
  /** The first 100 ids that it has shown. */
  readonly shown: Set<string>
  probedFor: number
  /** How many ids were asked for to see whether a page holds as many. */
  probedByIds: number
  /** A question for any events brings nothing although the relay holds some: it must be asked narrowly. */
  isNarrow: boolean
  probing: Promise<void>
  assumed: number
  until: 'inclusive' | 'exclusive' | undefined
  since: 'inclusive' | 'exclusive' | undefined
}

const MAX_SHOWN = 100

/** The capacity of a relay before its first page. */
export function createCapacity(): Capacity {
  return {
    most: 0,
    probed: 0,
    cutAt: Infinity,
    believed: 0,
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
 * Whether a page of `count` rows of one second may be assumed whole at a relay with nothing else to show: so few events
 * in total that, as far as anyone can tell, they fit into a page.
 */
export function mayBeAll(count: number, { most, shown }: Capacity): boolean {
  return count < SMALLEST_PAGE && most <= count && shown.size === count
}

/** Whether a relay that was assumed to hold only these few events has since shown others, and no larger page. */
export function isDisproved({ assumed, most, probed, shown }: Capacity): boolean {
  return assumed > 0 && most <= assumed && probed <= assumed && shown.size > assumed
}

/** Notes a page of the usual limit. Rows without a stamp, foreign rows and repeated rows do not count. */
export function noteShown(capacity: Capacity, stamps: readonly Stamp[], readOver = 0): void {
  capacity.most = Math.max(capacity.most, remember(capacity, stamps) + readOver)
}

/** Notes a page that was asked with a smaller limit. */
export function noteProbed(capacity: Capacity, stamps: readonly Stamp[], readOver = 0): void {
  capacity.probed = Math.max(capacity.probed, remember(capacity, stamps) + readOver)
}

function remember({ shown }: Capacity, stamps: readonly Stamp[]): number {
  const ids = new Set(stamps.map(({ id }) => id))
  for (const id of ids) if (shown.size < MAX_SHOWN) shown.add(id)
  return ids.size
}
