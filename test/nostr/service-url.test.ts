import { describe, expect, it } from 'vitest'

import { listsService, readService } from '../../src/nostr/service-url.ts'
import { serviceAt } from '../support/service-at.ts'

const NPUB = 'npub1sn0wdenkukak0d9dfczzeacvhkrgz92ak56egt7vdgzn8pv2wfqqhrjdv9'

function lists(service: string, clone: string, relay: string): boolean {
  return listsService({ clone: [clone], relays: [relay] }, serviceAt(service))
}

describe('readService', () => {
  it.each([
    ['wss://Git.Example.com', 'git.example.com:443'],
    ['ws://git.example.com/', 'git.example.com:80'],
    ['wss://git.example.com./grasp//', 'git.example.com:443/grasp'],
    ['wss://git.example.com:8443/a/B?x=1#y', 'git.example.com:8443/a/B'],
    ['ws://127.0.0.1:7000/grasp', '127.0.0.1:7000/grasp'],
  ])('knows %s by %s', (url, name) => expect(readService(url)?.name).toBe(name))

  it.each(['', 'events.jsonl', 'git.example.com', 'nostr://git.example.com'])('finds none in %j', (text) => {
    expect(readService(text)).toBeUndefined()
  })
})

// As ngit-grasp 3.0.10 was seen to answer with NGIT_DOMAIN=127.0.0.1:p.
describe('a service at the root, with a port', () => {
  const at = 'ws://127.0.0.1:7000'

  it.each([
    ['https and wss', `https://127.0.0.1:7000/${NPUB}/x.git`, 'wss://127.0.0.1:7000/'],
    ['a relay without scheme', `http://127.0.0.1:7000/${NPUB}/x.git`, '127.0.0.1:7000'],
    ['a clone without scheme', `127.0.0.1:7000/${NPUB}/x.git`, 'ws://127.0.0.1:7000'],
    ['a relay as http', `http://127.0.0.1:7000/${NPUB}/x.git`, 'http://127.0.0.1:7000'],
    ['a user', `http://user@127.0.0.1:7000/${NPUB}/x.git`, 'ws://user:secret@127.0.0.1:7000'],
    ['a query and a fragment', `http://127.0.0.1:7000/${NPUB}/x.git?x=1`, 'ws://127.0.0.1:7000?x=1#y'],
    ['a dot after the host', `http://127.0.0.1.:7000/${NPUB}/x.git`, 'ws://127.0.0.1:7000'],
    ['ssh', `ssh://git@127.0.0.1:7000/${NPUB}/x.git`, 'ws://127.0.0.1:7000'],
    ['a clone without path', 'http://127.0.0.1:7000', 'ws://127.0.0.1:7000'],
    ['a clone with any path', 'http://127.0.0.1:7000/anything', 'ws://127.0.0.1:7000//'],
  ])('is named by %s', (_what, clone, relay) => expect(lists(at, clone, relay)).toBe(true))

  it.each([
    ['a relay with a path', `http://127.0.0.1:7000/${NPUB}/x.git`, 'ws://127.0.0.1:7000/x'],
    ['another port in relays', `http://127.0.0.1:7000/${NPUB}/x.git`, 'ws://127.0.0.1:7001'],
    ['another port in clone', `http://127.0.0.1:7001/${NPUB}/x.git`, 'ws://127.0.0.1:7000'],
    ['no port', `http://127.0.0.1/${NPUB}/x.git`, 'ws://127.0.0.1'],
    ['a nostr URL', `nostr://${NPUB}/127.0.0.1:7000/x`, 'ws://127.0.0.1:7000'],
    ['the host in a path', `http://evil.test/127.0.0.1:7000/x.git`, 'ws://127.0.0.1:7000'],
    ['no URL', 'http://', 'ws://127.0.0.1:7000'],
  ])('is not named by %s', (_what, clone, relay) => expect(lists(at, clone, relay)).toBe(false))
})

describe('a service without a port', () => {
  const at = 'wss://git.example.com'

  it.each([
    ['the default port of https and wss', 'https://git.example.com/x.git', 'wss://git.example.com:443'],
    ['the default port of http and ws', 'http://git.example.com:80/x.git', 'ws://git.example.com'],
    ['the default port of ssh', 'ssh://git@git.example.com/x.git', 'wss://git.example.com'],
    ['capitals', 'HTTPS://GIT.EXAMPLE.COM/x.git', 'WSS://Git.Example.Com'],
  ])('is named with %s', (_what, clone, relay) => expect(lists(at, clone, relay)).toBe(true))

  it.each([
    ['another port', 'https://git.example.com:8443/x.git', 'wss://git.example.com'],
    ['the default port of another scheme', 'https://git.example.com/x.git', 'wss://git.example.com:80'],
  ])('is not named with %s', (_what, clone, relay) => expect(lists(at, clone, relay)).toBe(false))
})

describe('a service with a port that is the default of a scheme', () => {
  it.each([
    ['http://git.example.com/x.git', 'http://git.example.com:443', false],
    ['https://git.example.com/x.git', 'wss://git.example.com', true],
    ['http://git.example.com:443/x.git', 'ws://git.example.com:443', true],
  ])('is named by clone %s and relay %s: %s', (clone, relay, expected) => {
    expect(lists('ws://git.example.com:443', clone, relay)).toBe(expected)
  })
})

// As ngit-grasp 3.0.10 was seen to answer with NGIT_BASE_PATH=/grasp.
describe('a service below a path', () => {
  const at = 'ws://127.0.0.1:7000/grasp'

  it.each([
    [`http://127.0.0.1:7000/grasp/${NPUB}/x.git`, 'ws://127.0.0.1:7000/grasp'],
    [`http://127.0.0.1:7000/grasp/${NPUB}/x.git`, 'ws://127.0.0.1:7000/grasp/'],
    ['http://127.0.0.1:7000/grasp', 'ws://127.0.0.1:7000/grasp'],
  ])('is named by %s and %s', (clone, relay) => expect(lists(at, clone, relay)).toBe(true))

  it.each([
    ['the root in both', `http://127.0.0.1:7000/${NPUB}/x.git`, 'ws://127.0.0.1:7000'],
    ['the root in relays', `http://127.0.0.1:7000/grasp/${NPUB}/x.git`, 'ws://127.0.0.1:7000'],
    ['a path that begins alike', `http://127.0.0.1:7000/graspx/${NPUB}/x.git`, 'ws://127.0.0.1:7000/grasp'],
    ['a relay whose path begins alike', `http://127.0.0.1:7000/grasp/${NPUB}/x.git`, 'ws://127.0.0.1:7000/graspx'],
    ['a relay below', `http://127.0.0.1:7000/grasp/${NPUB}/x.git`, 'ws://127.0.0.1:7000/grasp/x'],
    ['capitals in the path', `http://127.0.0.1:7000/GRASP/${NPUB}/x.git`, 'ws://127.0.0.1:7000/GRASP'],
  ])('is not named by %s', (_what, clone, relay) => expect(lists(at, clone, relay)).toBe(false))
})

describe('early GRASP relays', () => {
  it('look at no path in relays', () => {
    const announced = { clone: ['https://git.example.com/x.git'], relays: ['wss://git.example.com/relay'] }
    const service = serviceAt('wss://git.example.com')
    expect(listsService(announced, service, { relaysMayLieBelow: true })).toBe(true)
    expect(listsService(announced, service)).toBe(false)
  })
})
