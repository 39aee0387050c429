/*
 * What ngit-grasp 3.0.10 answers, as scenarios that run against any relay: the scripted one and the real one must
 * agree. Every scenario has identifiers and people of its own, so that one relay can be asked all of them, in any
 * order.
 */
import { npubEncode } from 'nostr-tools/nip19'

import type { NostrEvent } from '../../src/nostr/event.ts'
import { announcement, comment, deletion, graspList, issue, pullRequest, SOME_TIME, state } from './builders.ts'
import { keyOf, signEvent, type Key } from './sign.ts'

/** What a relay must have been started with. `service` is the plain one. */
export type GraspGroup = 'service' | 'author blacklisted' | 'repository blacklisted' | 'whitelist' | 'archive read-only'

/** One answer: `given` is sent first, in order, whatever is answered; `send` gets the answer in question. */
export type GraspScenario = {
  readonly name: string
  readonly given: readonly NostrEvent[]
  readonly send: NostrEvent
  readonly expect: { readonly ok: boolean; readonly text: RegExp }
}

const BLACKLISTED = { author: keyOf('blacklisted author'), d: 'blacklisted-repository' }

/** With which variables the real relay becomes one of this group, beside those of a plain service. */
export const GRASP_ENVIRONMENTS: Readonly<Record<GraspGroup, Readonly<Record<string, string>>>> = {
  service: {},
  'author blacklisted': { NGIT_EVENT_BLACKLIST: npubEncode(BLACKLISTED.author.pubkey) },
  'repository blacklisted': { NGIT_REPOSITORY_BLACKLIST: BLACKLISTED.d },
  whitelist: { NGIT_REPOSITORY_WHITELIST: 'only-this' },
  'archive read-only': { NGIT_ARCHIVE_WHITELIST: 'only-this' },
}

/** Sends an event and returns its OK. */
export type Publish = (event: NostrEvent) => Promise<readonly [accepted: unknown, text: unknown]>

/** Plays a scenario, once per relay: the answer to its last event. A connection may send 60 events at once. */
export async function playScenario(
  { given, send }: GraspScenario,
  publish: Publish,
): Promise<readonly [unknown, unknown]> {
  for (const event of given) await publish(event)
  return publish(send)
}

const STORED = /^duplicate: event stored$/
const PURGATORY = /^purgatory: won't be served until git data arrives$/
const ORPHAN = /^restricted: Event event must reference an accepted repository or accepted event$/
const PR_ORPHAN = /^restricted: PR event must reference an accepted repository or accepted event$/
const DELETED = /^invalid: this event is deleted$/
const VANISHED = /^invalid: this pubkey has requested to vanish$/
const UNAUTHORIZED = /^restricted: author not authorized for this repository$/
const UNLISTED =
  /^invalid: Announcement must list service in both 'clone' and 'relays' tags, or match archive whitelist\. /
const NO_PROFILE = /^restricted: Kind 0\/10002 author must participate in an accepted repository thread$/

/** Where a scenario takes place: people and repositories that no other scenario has. */
type Place = ReturnType<typeof createPlace>

function createPlace(name: string, host: string) {
  const [owner, member, stranger] = [keyOf(`${name} owner`), keyOf(`${name} member`), keyOf(`${name} stranger`)]
  const d = name.replace(/[^a-z0-9]+/gi, '-').toLowerCase()
  const here = { clone: [`http://${host}/x/${d}.git`], relays: [`ws://${host}`] }
  const elsewhere = { clone: [`https://elsewhere.invalid/x/${d}.git`], relays: ['wss://elsewhere.invalid'] }
  const announced = announcement(owner, d, { ...here, maintainers: [member] })
  // A listed author's announcement needs no git data: it is served at once, and so things can depend on it.
  const listed = announcement(member, d, { ...elsewhere, maintainers: [owner] })
  const address = `30617:${member.pubkey}:${d}`
  const bug = issue(address, stranger)
  return { owner, member, stranger, d, here, elsewhere, announced, listed, address, bug, served: [announced, listed] }
}

type Draft = Omit<GraspScenario, 'name' | 'given'> & { readonly given?: readonly NostrEvent[] }

const taken = (text: RegExp): GraspScenario['expect'] => ({ ok: true, text })
const refused = (text: RegExp): GraspScenario['expect'] => ({ ok: false, text })

function custom(
  key: Key,
  kind: number,
  tags: readonly (readonly string[])[],
  content = '',
  createdAt = SOME_TIME,
): NostrEvent {
  return signEvent(key, { kind, created_at: createdAt, tags, content })
}

const ANNOUNCEMENTS: Readonly<Record<string, (place: Place) => Draft>> = {
  'an announcement': ({ announced }) => ({ send: announced, expect: taken(PURGATORY) }),
  'an announcement that is pending': ({ announced }) => ({
    given: [announced],
    send: announced,
    expect: taken(PURGATORY),
  }),
  'an older announcement than the pending one': ({ owner, d, here, announced }) => ({
    given: [announced],
    send: announcement(owner, d, { ...here, createdAt: SOME_TIME - 10 }),
    expect: taken(PURGATORY),
  }),
  'an announcement of a listed author that names another service': ({ announced, listed }) => ({
    given: [announced],
    send: listed,
    expect: taken(STORED),
  }),
  'an announcement that is stored': ({ served, listed }) => ({ given: served, send: listed, expect: taken(STORED) }),
  'an older announcement than the stored one': ({ served, member, d, elsewhere, owner }) => ({
    given: served,
    send: announcement(member, d, { ...elsewhere, maintainers: [owner], createdAt: SOME_TIME - 10 }),
    expect: taken(/^duplicate: superseded by a newer event$/),
  }),
  'an announcement that names another service': ({ listed }) => ({ send: listed, expect: refused(UNLISTED) }),
  'an announcement that names the service in relays only': ({ owner, d, here, elsewhere }) => ({
    send: announcement(owner, d, { ...elsewhere, relays: here.relays }),
    expect: refused(UNLISTED),
  }),
  'an announcement without d': ({ owner }) => ({
    send: custom(owner, 30617, []),
    expect: refused(/^invalid: Missing required 'd' tag \(identifier\)$/),
  }),
  'an announcement with two clone tags': ({ owner, d, here }) => ({
    send: announcement(owner, d, { ...here, tags: [['clone', 'https://elsewhere.invalid/y.git']] }),
    expect: refused(/^invalid: Invalid announcement: multiple clone tags found/),
  }),
  'an announcement with an empty identifier': ({ owner, here }) => ({
    send: announcement(owner, '', here),
    expect: refused(/^invalid: Invalid identifier: identifier must not be empty$/),
  }),
  'an announcement with a slash in its identifier': ({ owner, here }) => ({
    send: announcement(owner, 'a/b', here),
    expect: refused(/^invalid: Invalid identifier: identifier 'a\/b' contains path separator '\/'/),
  }),
  'an announcement with a reserved identifier': ({ owner, here }) => ({
    send: announcement(owner, '..', here),
    expect: refused(/^invalid: Invalid identifier: identifier '\.\.' is a reserved path component$/),
  }),
  'an announcement with a null byte in its identifier': ({ owner, here }) => ({
    send: announcement(owner, 'a\0b', here),
    expect: refused(/^invalid: Invalid identifier: identifier '.+' contains a null byte$/s),
  }),
}

const STATES: Readonly<Record<string, (place: Place) => Draft>> = {
  'a state without an announcement': ({ owner, d }) => ({
    send: state(owner, d),
    expect: refused(/^invalid: no announcement exists for this repository$/),
  }),
  'a state without d': ({ owner }) => ({
    send: custom(owner, 30618, []),
    expect: refused(/^invalid: Missing required 'd' tag \(identifier\)$/),
  }),
  'the state of a pending announcement': ({ announced, owner, d }) => ({
    given: [announced],
    send: state(owner, d),
    expect: taken(PURGATORY),
  }),
  'a state that is pending': ({ announced, owner, d }) => ({
    given: [announced, state(owner, d)],
    send: state(owner, d),
    expect: taken(/^duplicate: in purgatory$/),
  }),
  'the state of somebody who is not listed': ({ announced, stranger, d }) => ({
    given: [announced],
    send: state(stranger, d),
    expect: refused(UNAUTHORIZED),
  }),
  'the state of somebody who is invited': ({ announced, member, d }) => ({
    given: [announced],
    send: state(member, d),
    expect: refused(UNAUTHORIZED),
  }),
  'the state of somebody who accepted': ({ served, member, d }) => ({
    given: served,
    send: state(member, d),
    expect: taken(PURGATORY),
  }),
}

/** How `a` lists `b`, what `b` says, and whether his announcement and his state are taken; `b` announces elsewhere. */
const MEMBERS: Readonly<Record<string, (a: string, b: string) => readonly [string[][], string[][], boolean, boolean]>> =
  {
    'm b, b says nothing': (_a, b) => [[['m', b]], [], true, true],
    'm b, b leads with M a': (a, b) => [
      [['m', b]],
      [
        ['M', a],
        ['m', b],
      ],
      true,
      true,
    ],
    'm b, b left': (a, b) => [
      [['m', b]],
      [
        ['m', a],
        ['m', b, '1', '2'],
      ],
      true,
      false,
    ],
    'an ended m b': (a, b) => [[['m', b, '100', '200']], [['m', a]], false, false],
    'a malformed m b': (a, b) => [[['m', b, 'abc']], [['m', a]], false, false],
    'a deferred m b': (a, b) => [[['m', b, '100', 'defer']], [['m', a]], false, false],
    'o b beside maintainers b': (a, b) => [
      [
        ['o', b],
        ['maintainers', b],
      ],
      [['m', a]],
      false,
      false,
    ],
    'm b renewed': (a, b) => [[['m', b, '100', '200', '300']], [['m', a]], true, true],
    'm b in capitals': (a, b) => [[['m', b.toUpperCase()]], [['m', a]], true, true],
    'maintainers b in capitals': (a, b) => [[['maintainers', b.toUpperCase()]], [['maintainers', a]], false, false],
  }

const THREADS: Readonly<Record<string, (place: Place) => Draft>> = {
  'an issue of nothing': ({ bug }) => ({ send: bug, expect: refused(ORPHAN) }),
  'an issue of a pending repository': ({ announced, owner, d, stranger }) => ({
    given: [announced],
    send: issue(`30617:${owner.pubkey}:${d}`, stranger),
    expect: refused(ORPHAN),
  }),
  'an issue of a served repository': ({ served, bug }) => ({ given: served, send: bug, expect: taken(STORED) }),
  'an issue that is stored': ({ served, bug }) => ({ given: [...served, bug], send: bug, expect: taken(STORED) }),
  'a comment to a stored issue': ({ served, bug, owner }) => ({
    given: [...served, bug],
    send: comment(bug, owner),
    expect: taken(STORED),
  }),
  'a comment to nothing': ({ bug, owner }) => ({ send: comment(bug, owner), expect: refused(ORPHAN) }),
  'a quote of a repository': ({ served, address, stranger }) => ({
    given: served,
    send: custom(stranger, 1, [['q', address]], 'look'),
    expect: taken(STORED),
  }),
  'what a stored event refers to': ({ served, address, stranger, owner }) => ({
    given: [
      ...served,
      custom(
        stranger,
        1,
        [
          ['a', address],
          ['e', custom(owner, 1, [], 'first').id],
        ],
        'see',
      ),
    ],
    send: custom(owner, 1, [], 'first'),
    expect: taken(STORED),
  }),
  'a pull request of nothing': ({ address, stranger }) => ({
    send: pullRequest(address, stranger),
    expect: refused(PR_ORPHAN),
  }),
  'a pull request whose commit is unknown': ({ served, address, stranger }) => ({
    given: served,
    send: pullRequest(address, stranger),
    expect: taken(/^purgatory: PR event stored, waiting for git push with commit 3{40}$/),
  }),
  'a pull request that is pending': ({ served, address, stranger }) => ({
    given: [...served, pullRequest(address, stranger)],
    send: pullRequest(address, stranger),
    expect: taken(/^duplicate: in purgatory$/),
  }),
  'a pull request without a commit': ({ served, address, stranger }) => ({
    given: served,
    send: custom(stranger, 1618, [['a', address]], 'please'),
    expect: refused(/^invalid: PR event [0-9a-f]{64} has no 'c' tag$/),
  }),
  'the profile of a stranger': ({ stranger }) => ({
    send: custom(stranger, 0, [], '{}'),
    expect: refused(NO_PROFILE),
  }),
  'the relay list of a stranger': ({ stranger, served, address }) => ({
    given: served,
    send: custom(stranger, 10002, [
      ['r', 'wss://elsewhere.invalid'],
      ['a', address],
    ]),
    expect: refused(NO_PROFILE),
  }),
  'the grasp list of a stranger': ({ stranger }) => ({
    send: graspList(stranger, ['wss://elsewhere.invalid']),
    expect: taken(STORED),
  }),
  'an older grasp list': ({ stranger }) => ({
    given: [graspList(stranger, ['wss://elsewhere.invalid'])],
    send: graspList(stranger, ['wss://other.invalid'], { createdAt: SOME_TIME - 10 }),
    expect: taken(/^duplicate: superseded by a newer event$/),
  }),
  'an issue of ten years ahead': ({ served, address, stranger }) => ({
    given: served,
    send: issue(address, stranger, { createdAt: Math.floor(Date.now() / 1000) + 315_360_000 }),
    expect: taken(STORED),
  }),
}

const REMOVALS: Readonly<Record<string, (place: Place) => Draft>> = {
  'a deletion of nothing known': ({ bug, stranger }) => ({
    send: deletion({ ids: [bug.id] }, stranger),
    expect: taken(STORED),
  }),
  'a deletion that is stored': ({ bug, stranger }) => ({
    given: [deletion({ ids: [bug.id] }, stranger)],
    send: deletion({ ids: [bug.id] }, stranger),
    expect: taken(STORED),
  }),
  'what a deletion removed': ({ served, bug, stranger }) => ({
    given: [...served, bug, deletion({ ids: [bug.id] }, stranger)],
    send: bug,
    expect: refused(DELETED),
  }),
  'what a deletion came before': ({ served, bug, stranger }) => ({
    given: [...served, deletion({ ids: [bug.id] }, stranger)],
    send: bug,
    expect: refused(DELETED),
  }),
  'what somebody else deleted': ({ served, bug, owner }) => ({
    given: [...served, deletion({ ids: [bug.id] }, owner)],
    send: bug,
    expect: taken(STORED),
  }),
  'an older version of a deleted address': ({ served, address, member, listed }) => ({
    given: [...served, deletion({ addresses: [address] }, member, { createdAt: SOME_TIME })],
    send: listed,
    expect: refused(DELETED),
  }),
  'a newer version of a deleted address': ({ served, address, member, d, elsewhere }) => ({
    given: [...served, deletion({ addresses: [address] }, member, { createdAt: SOME_TIME })],
    send: announcement(member, d, { ...elsewhere, createdAt: SOME_TIME + 10 }),
    expect: taken(STORED),
  }),
  'an issue of a deleted repository': ({ served, address, member, bug }) => ({
    given: [...served, deletion({ addresses: [address] }, member)],
    send: bug,
    expect: refused(ORPHAN),
  }),
  'a deletion of a stored event of another': ({ served, bug, owner }) => ({
    given: [...served, bug],
    send: deletion({ ids: [bug.id] }, owner),
    expect: refused(/^invalid: cannot delete event authored by another pubkey$/),
  }),
  'a deletion of more than 2,048': ({ stranger }) => ({
    send: deletion({ ids: Array.from({ length: 2_049 }, (_, n) => n.toString(16).padStart(64, '0')) }, stranger),
    expect: refused(/^invalid: too many deletion targets$/),
  }),
  'a request to vanish': ({ stranger }) => ({
    send: custom(stranger, 62, [['relay', 'ALL_RELAYS']]),
    expect: taken(STORED),
  }),
  'a request to vanish that is stored': ({ stranger }) => ({
    given: [custom(stranger, 62, [['relay', 'ALL_RELAYS']])],
    send: custom(stranger, 62, [['relay', 'ALL_RELAYS']]),
    expect: taken(STORED),
  }),
  'an older event of an author who vanished': ({ served, address, stranger }) => ({
    given: [...served, custom(stranger, 62, [['relay', 'ALL_RELAYS']])],
    send: issue(address, stranger, { createdAt: SOME_TIME - 10 }),
    expect: refused(VANISHED),
  }),
  'a newer event of an author who vanished': ({ served, address, stranger }) => ({
    given: [...served, custom(stranger, 62, [['relay', 'ALL_RELAYS']])],
    send: issue(address, stranger, { createdAt: SOME_TIME + 10 }),
    expect: refused(VANISHED),
  }),
  'a deletion of an author who vanished': ({ stranger, bug }) => ({
    given: [custom(stranger, 62, [['relay', 'ALL_RELAYS']])],
    send: deletion({ ids: [bug.id] }, stranger),
    expect: refused(VANISHED),
  }),
  'an event of an author who vanished here': ({ served, bug, stranger, here }) => ({
    given: [
      ...served,
      custom(
        stranger,
        62,
        here.relays.map((relay) => ['relay', relay]),
      ),
    ],
    send: bug,
    expect: refused(VANISHED),
  }),
  'an event of an author who vanished elsewhere': ({ served, bug, stranger }) => ({
    given: [...served, custom(stranger, 62, [['relay', 'wss://elsewhere.invalid']])],
    send: bug,
    expect: taken(STORED),
  }),
}

const SHAPES: Readonly<Record<string, (place: Place) => Draft>> = {
  'an event that has expired': ({ served, address, stranger }) => ({
    given: served,
    send: issue(address, stranger, { tags: [['expiration', String(SOME_TIME)]] }),
    expect: refused(/^blocked: event is expired$/),
  }),
  'an event with another id': ({ bug }) => ({
    send: { ...bug, id: 'f'.repeat(64) },
    expect: refused(/^invalid: invalid event ID$/),
  }),
  'an event with a signature of another': ({ bug, listed }) => ({
    send: { ...bug, sig: listed.sig },
    expect: refused(/^invalid: invalid event signature$/),
  }),
  'an event of more than 192 KiB': ({ served, address, stranger }) => ({
    given: served,
    send: issue(address, stranger, { content: 'x'.repeat(197_000) }),
    expect: refused(/^blocked: event size \(\d+ bytes\) exceeds maximum allowed size \(196608 bytes\)$/),
  }),
  'a protected event': ({ served, address, stranger }) => ({
    given: served,
    send: issue(address, stranger, { tags: [['-']] }),
    expect: refused(/^auth-required: you must auth$/),
  }),
  'a repost of a protected event': ({ served, address, stranger, owner }) => ({
    given: served,
    send: custom(
      owner,
      16,
      [
        ['a', address],
        ['k', '1621'],
      ],
      JSON.stringify(issue(address, stranger, { tags: [['-']] })),
    ),
    expect: refused(/^blocked: repost of a protected event$/),
  }),
  'a gift wrap to nobody': ({ stranger }) => ({
    send: custom(stranger, 1059, []),
    expect: refused(/^blocked: GiftWrap must contain exactly one recipient public key$/),
  }),
  'an ephemeral event': ({ served, address, stranger }) => ({
    given: served,
    send: custom(stranger, 20_001, [['a', address]]),
    expect: taken(/^$/),
  }),
}

/** Scenarios of relays with lists, by how those are started. */
const LISTS: readonly (readonly [Exclude<GraspGroup, 'service'>, string, (place: Place) => Draft])[] = [
  [
    'author blacklisted',
    'an event of a blacklisted author',
    ({ served, address }) => ({
      given: served,
      send: issue(address, BLACKLISTED.author),
      expect: refused(/^blocked: Event author npub1[a-z0-9]{58} is blacklisted$/),
    }),
  ],
  [
    'repository blacklisted',
    'a blacklisted repository',
    ({ owner, here }) => ({
      send: announcement(owner, BLACKLISTED.d, here),
      expect: refused(/^invalid: Repository identifier blacklisted-repository is blacklisted$/),
    }),
  ],
  [
    'whitelist',
    'a repository that is not whitelisted',
    ({ announced }) => ({
      send: announced,
      expect: refused(/^invalid: Announcement lists service but does not match repository whitelist\. Repository /),
    }),
  ],
  [
    'archive read-only',
    'a repository that is not archived',
    ({ announced }) => ({
      send: announced,
      expect: refused(/^invalid: Archive read-only mode: announcement must match archive whitelist\. Repository /),
    }),
  ],
]

/** All scenarios of a group, for a relay that is reached as this `host:port`. */
export function graspAnswers(host: string, group: GraspGroup = 'service'): readonly GraspScenario[] {
  if (group !== 'service') {
    return LISTS.flatMap(([wanted, name, draft]) => (wanted === group ? [build(name, host, draft)] : []))
  }
  const drafts = Object.entries({ ...ANNOUNCEMENTS, ...STATES, ...THREADS, ...REMOVALS, ...SHAPES })
  return [...drafts.map(([name, draft]) => build(name, host, draft)), ...membershipAnswers(host)]
}

function build(name: string, host: string, draft: (place: Place) => Draft): GraspScenario {
  return { name, given: [], ...draft(createPlace(name, host)) }
}

/** For each form of listing: the announcement of who is listed, then his state. */
function membershipAnswers(host: string): GraspScenario[] {
  return Object.entries(MEMBERS).flatMap(([name, tagsFor]) => {
    const { owner, member, d, here, elsewhere } = createPlace(name, host)
    const [ofOwner, ofMember, isAdmitted, isAllowed] = tagsFor(owner.pubkey, member.pubkey)
    const announced = announcement(owner, d, { ...here, tags: ofOwner })
    const listed = announcement(member, d, { ...elsewhere, tags: ofMember })
    const ofState = { given: [announced, listed], send: state(member, d) }
    return [
      {
        name: `${name}: his announcement`,
        given: [announced],
        send: listed,
        expect: isAdmitted ? taken(STORED) : refused(UNLISTED),
      },
      { name: `${name}: his state`, ...ofState, expect: isAllowed ? taken(PURGATORY) : refused(UNAUTHORIZED) },
    ]
  })
}
