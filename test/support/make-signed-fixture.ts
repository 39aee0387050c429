import { readFileSync } from 'node:fs'

import type { NostrEvent } from '../../src/nostr/event.ts'
import * as builders from './builders.ts'
import { keyOf, signEvent } from './sign.ts'

const NGIT_ISSUE = '926b76ba'
const NGIT_PULL_REQUEST = 'fabe42e7'
const HYDRUS_COMMENT = 'c7a156e8'
/** After the newest event of nip34.jsonl. */
const START = 1_790_000_000

/** The events of a fixture file, one JSON object a line. */
export function readFixture(name: 'nip34' | 'noise' | 'signed'): NostrEvent[] {
  const text = readFileSync(new URL(`../../src/demo/events/${name}.jsonl`, import.meta.url), 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as NostrEvent)
}

/**
 * The events of src/demo/events/signed.jsonl: the kinds that nip34.jsonl lacks, and odd tags. They depend on
 * repositories of nip34.jsonl and from `hello`, a repository of alice with the maintainer bob. `vitest -u` writes the
 * file again.
 */
export function buildSignedFixture(): NostrEvent[] {
  return [...onRealRepositories(readFixture('nip34')), ...onOwnRepository()]
}

function onRealRepositories(real: readonly NostrEvent[]): NostrEvent[] {
  const [carol, dave] = [keyOf('carol'), keyOf('dave')]
  const ngitIssue = byPrefix(real, NGIT_ISSUE)
  const hydrusComment = byPrefix(real, HYDRUS_COMMENT)
  const question = builders.comment(ngitIssue, carol, { createdAt: START, content: 'is this still open?' })
  return [
    question,
    builders.pullRequestUpdate(byPrefix(real, NGIT_PULL_REQUEST), dave, { createdAt: START + 60 }),
    builders.reply(ngitIssue, dave, { createdAt: START + 120 }),
    builders.reaction(hydrusComment, carol, { createdAt: START + 180 }),
    builders.status(1630, ngitIssue, carol, { createdAt: START + 240, content: 'reopened' }),
    builders.label(ngitIssue, dave, { createdAt: START + 300 }),
    builders.graspList(carol, ['wss://relay.ngit.dev', 'wss://gitnostr.com'], { createdAt: START + 360 }),
    builders.deletion({ ids: [question.id] }, carol, { createdAt: START + 420, tags: [['k', '1111']] }),
  ]
}

function onOwnRepository(): NostrEvent[] {
  const [alice, bob, carol] = [keyOf('alice'), keyOf('bob'), keyOf('carol')]
  const relays = ['wss://grasp.example.com', 'wss://relay.example.com']
  const clone = [`https://grasp.example.com/${alice.pubkey}/hello.git`]
  const hello = builders.announcement(alice, 'hello', { clone, relays, maintainers: [bob], createdAt: START + 1_000 })
  const repository = builders.repositoryAddress(alice, 'hello')
  const issue = builders.issue(repository, carol, { createdAt: START + 1_180 })
  const note = { kind: 1, content: 'worth reading' }
  const expiration = ['expiration', String(START + 5_000)]
  return [
    hello,
    builders.announcement(bob, 'hello', { maintainers: [alice], createdAt: START + 1_060 }),
    builders.state(bob, 'hello', { createdAt: START + 1_120 }),
    issue,
    builders.comment(hello, carol, { createdAt: START + 1_240, content: 'a comment on the repository' }),
    signEvent(carol, { ...note, created_at: START + 1_300, tags: [['q', repository]] }),
    signEvent(carol, { ...note, created_at: START + 1_360, tags: [['q', issue.id, '', carol.pubkey]] }),
    builders.comment(issue, bob, { createdAt: START + 1_420, content: 'gone soon', tags: [expiration] }),
    builders.comment(issue, bob, { createdAt: START + 1_480, content: 'mine alone', tags: [['-']] }),
    builders.comment(issue, bob, { createdAt: START + 1_540, content: 'tag', tags: [['t', 'grasp-audit-test-event']] }),
  ]
}

function byPrefix(events: readonly NostrEvent[], prefix: string): NostrEvent {
  const event = events.find(({ id }) => id.startsWith(prefix))
  if (event === undefined) throw new Error(`nip34.jsonl has no event ${prefix}`)
  return event
}
