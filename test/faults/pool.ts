import type { NostrEvent } from '../../src/nostr/event.ts'
import {
  announcement,
  comment,
  deletion,
  graspList,
  issue as issueOf,
  reaction,
  reply,
  state,
  status,
} from '../support/builders.ts'
import { generateHistory } from '../support/generate.ts'
import { alice, bob, carol, smallRepository } from '../support/scenes.ts'

const {
  address,
  announced,
  issue,
  comment: remark,
  events: small,
} = smallRepository({ d: 'small', startAt: 1_740_000_000 })
/** A root: who deletes a comment is asked for before it is sent, and later by `--follow-ups` only. */
const doomed = issueOf(address, bob, { createdAt: 1_740_001_000, content: 'never mind' })
/** When the first run starts; everything in the pool but one event is older. */
export const START = 1_750_000_000

/** Of every sort that the rules tell apart; never more than two in one second. */
export const POOL: readonly NostrEvent[] = [
  ...small,
  ...generateHistory({ repositories: 2, rootsPerRepository: 2, commentsPerRoot: 2, seed: 3 }),
  announcement(alice, 'small', { createdAt: 1_740_002_000, maintainers: [carol] }),
  announcement(carol, 'small', { createdAt: 1_740_002_100 }),
  state(carol, 'small', { createdAt: 1_740_002_200 }),
  doomed,
  deletion({ ids: [doomed.id] }, bob, { createdAt: 1_740_003_000 }),
  status(1632, issue, alice, { createdAt: 1_740_003_100 }),
  status(1630, issue, bob, { createdAt: 1_740_003_100 }),
  reaction(issue, carol, { createdAt: 1_740_003_200 }),
  reaction(remark, carol, { createdAt: 1_740_003_300 }),
  reply(issue, carol, { createdAt: 1_740_003_400 }),
  graspList(carol, ['wss://grasp.example'], { createdAt: 1_740_003_500 }),
  graspList(carol, [], { createdAt: 1_740_003_600 }),
  comment(issue, bob, { createdAt: 1_740_003_700, tags: [['expiration', String(START - 1)]] }),
  comment(issue, bob, { createdAt: 1_740_003_700, tags: [['t', 'grasp-audit-test-event']] }),
  comment(announced, alice, { createdAt: 4_000_000_000 }),
]
