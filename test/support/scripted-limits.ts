import type { Limits } from './scripted-behaviour.ts'
import { createSilentBucket, type TokenBucket } from './token-bucket.ts'

/** What the limits of a relay say to the frames of one connection, in the words of ngit-grasp 3.0.10. */
export type LimitKeeper = {
  /** False when there were too many frames: the connection is cut without a word. */
  takesFrame(): boolean
  /** The answer to a frame that goes too far; `undefined` when it does not. */
  refuse(label: string, subId: string): readonly unknown[] | undefined
  /** The same for a reconciliation of so many events beside those that are open. */
  refuseSession(
    subId: string,
    items: number,
    open: readonly { readonly items: number }[],
  ): readonly unknown[] | undefined
}

const TOO_MANY_QUERIES = 'rate-limited: too many queries'

/** Buckets that are full, as those of every new connection are; `refusals` counts by text. */
export function createLimitKeeper(limits: Limits, refusals: Map<string, number>): LimitKeeper {
  const { secondMs = 1_000, sessions = Infinity, items: mostItems = Infinity } = limits
  const bucketOf = (bucket: Limits['queries']): TokenBucket =>
    bucket === undefined
      ? () => true
      : createSilentBucket(bucket.burst, bucket.gain, () => performance.now() / secondMs)
  const [frames, queries, messages] = [limits.frames, limits.queries, limits.messages].map(bucketOf)
  const note = (text: string): string => {
    refusals.set(text, (refusals.get(text) ?? 0) + 1)
    return text
  }
  return {
    takesFrame() {
      if (frames?.() !== false) return true
      note('too many frames')
      return false
    },
    refuse(label, subId) {
      if (label === 'REQ' && queries?.() === false) return ['CLOSED', subId, note(TOO_MANY_QUERIES)]
      if (label === 'NEG-OPEN' && queries?.() === false) return ['NEG-ERR', subId, note(TOO_MANY_QUERIES)]
      if (label === 'NEG-MSG' && messages?.() === false) return ['NEG-ERR', subId, note(TOO_MANY_QUERIES)]
      return undefined
    },
    refuseSession(subId, items, open) {
      if (open.length >= sessions) return ['NEG-ERR', subId, note('rate-limited: too many negentropy subscriptions')]
      const held = open.reduce((sum, session) => sum + session.items, items)
      return held > mostItems ? ['NEG-ERR', subId, note('rate-limited: too many negentropy items')] : undefined
    },
  }
}
