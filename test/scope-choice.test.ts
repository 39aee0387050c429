import { describe, expect, it } from 'vitest'

import { SyncError, UsageError } from '../src/errors.ts'
import type { Profile } from '../src/relay/endpoint.ts'
import { parseRelayDocument } from '../src/relay/socket/relay-document.ts'
import { chooseScope, hostOfPullRequests, possibleHost } from '../src/scope/scope-choice.ts'
import type { Scope } from '../src/scope/scope.ts'
import { serviceAt } from './support/service-at.ts'

type Target = Parameters<typeof chooseScope>[1]

function target(profile: Partial<Profile> = {}, more: Partial<Target> = {}): Target {
  return {
    url: 'wss://git.example.com',
    service: undefined,
    isFile: false,
    profile: { supportedNips: [], supportedGrasps: [], ...profile },
    ...more,
  }
}

function auto(profile: Partial<Profile>, lastKind?: string, more: Partial<Target> = {}) {
  return chooseScope({ type: 'auto' }, target(profile, more), lastKind).scope
}

const LISTED = { type: 'listed', service: serviceAt('wss://git.example.com') } as const

describe('the host of pull requests', () => {
  const NAMED: Scope = { type: 'named', addresses: [], authors: [] }

  it.each<[string, Scope, Partial<Profile>, boolean, boolean]>([
    ['a listed scope and GRASP-06', LISTED, { supportedGrasps: ['GRASP-01', 'GRASP-06'] }, true, true],
    ['a listed scope and the bare number', LISTED, { supportedGrasps: ['6'] }, true, true],
    [
      'a listed scope without GRASP-06',
      LISTED,
      { supportedGrasps: ['GRASP-01', 'GRASP-16', 'GRASP-60'] },
      false,
      false,
    ],
    ['a listed scope without a document', LISTED, { documentError: 'HTTP 500' }, false, true],
    ['the scope all', { type: 'all' }, { supportedGrasps: ['GRASP-06'] }, false, false],
    ['a named scope', NAMED, { supportedGrasps: ['GRASP-06'] }, false, false],
    ['a named scope without a document', NAMED, { documentError: 'HTTP 500' }, false, false],
  ])('is decided by %s', (_what, scope, profile, isHost, mayBe) => {
    const { profile: whole } = target(profile)
    expect(hostOfPullRequests(scope, whole) !== undefined).toBe(isHost)
    expect(possibleHost(scope, whole) !== undefined).toBe(mayBe)
  })
})

describe('the automatic scope', () => {
  it.each<[string, Partial<Profile>]>([
    ['supported_grasps', { supportedGrasps: ['GRASP-01'] }],
    ['the software ngit-grasp', { software: 'https://gitworkshop.dev/ngit-grasp' }],
    ['the software ngit-relay', { software: 'git+https://example.com/ngit-relay.git' }],
  ])('is listed when the target says GRASP by %s', (_, profile) => expect(auto(profile)).toEqual(LISTED))

  it.each(['GRASP-05', '05', '5'])('is all when the target is an archive (%s)', (grasp) => {
    expect(auto({ supportedGrasps: ['GRASP-01', grasp], software: 'ngit-grasp' })).toEqual({ type: 'all' })
  })

  it.each(['GRASP-15', 'GRASP-50', '25'])('is listed with a GRASP that only ends or begins like 5 (%s)', (grasp) => {
    expect(auto({ supportedGrasps: [grasp] })).toEqual(LISTED)
  })

  it('is all when the target is another relay', () => {
    expect(auto({ software: 'strfry' })).toEqual({ type: 'all' })
  })

  it('is all when the target is a file', () => {
    expect(auto({}, undefined, { isFile: true, url: 'events.jsonl' })).toEqual({ type: 'all' })
  })

  it.each<[string | undefined, unknown]>([
    ['all', { type: 'all' }],
    ['listed', LISTED],
  ])('is that of the last run (%s) when the document could not be read', (lastKind, scope) => {
    expect(auto({ documentError: 'HTTP 502' }, lastKind)).toEqual(scope)
  })

  it.each([undefined, 'named'])('never widens because something failed (last run: %s)', (lastKind) => {
    expect(() => auto({ documentError: 'HTTP 502' }, lastKind)).toThrow(SyncError)
    expect(() => auto({ documentError: 'HTTP 502' }, lastKind)).toThrow(/wss:\/\/git\.example\.com.*HTTP 502/)
  })

  it('does not ask the last run when the document says what the target is', () => {
    expect(auto({ software: 'ngit-grasp' }, 'all')).toEqual(LISTED)
  })
})

describe('the automatic scope of ngit-grasp 3.0.10, by its document', () => {
  const document = {
    software: 'https://gitworkshop.dev/danconwaydev.com/ngit-grasp',
    version: '3.0.10',
    supported_nips: [1, 5, 9, 11, 34, 62, 77],
    limitation: { max_limit: 500, restricted_writes: true },
    supported_grasps: ['GRASP-01', 'GRASP-02', 'GRASP-03'],
    repo_acceptance_criteria: 'None',
  }
  const archive = { supported_grasps: ['GRASP-01', 'GRASP-05', 'GRASP-02', 'GRASP-03'] }

  it.each<[string, Record<string, unknown>, 'listed' | 'all']>([
    ['open to all', {}, 'listed'],
    [
      'with a whitelist',
      { curation: 'Accepts only whitelisted repositories and maintainers that list this service' },
      'listed',
    ],
    ['an archive of all', { ...archive, curation: 'Read-only sync of all repositories found on network' }, 'all'],
    [
      'an archive of some repositories',
      { ...archive, curation: 'Read-only sync of whitelisted repositories and maintainers' },
      'all',
    ],
    ['an archive of some services', archive, 'all'],
    ['with pull requests (GRASP-06)', { supported_grasps: ['GRASP-01', 'GRASP-02', 'GRASP-03', 'GRASP-06'] }, 'listed'],
    [
      'private (GRASP-08)',
      { supported_nips: [1, 5, 9, 11, 34, 42, 62, 77, 98], supported_grasps: ['GRASP-01', 'GRASP-02', 'GRASP-08'] },
      'listed',
    ],
    ['below a base path', { supported_nips: [1, 9, 11, 34, 62, 77] }, 'listed'],
  ])('is found for one that is %s', (_what, changes, type) => {
    const profile = parseRelayDocument({ ...document, ...changes })
    expect(chooseScope({ type: 'auto' }, target(profile), undefined).scope.type).toBe(type)
  })
})

describe('the scope that is asked for', () => {
  it('is all whatever the target is', () => {
    const { scope, why } = chooseScope({ type: 'all' }, target({ software: 'ngit-grasp' }), undefined)
    expect([scope, why]).toEqual([{ type: 'all' }, '--scope all'])
  })

  it('is listed whatever the target is', () => {
    expect(chooseScope({ type: 'listed' }, target({ software: 'strfry' }), undefined).scope).toEqual(LISTED)
  })

  it('takes the public name of the target from --service', () => {
    const local = target({}, { url: 'ws://127.0.0.1:7777', service: 'https://git.example.com' })
    expect(chooseScope({ type: 'listed' }, local, undefined).scope).toEqual(LISTED)
  })

  it.each<[string, Partial<Target>]>([
    ['of --service', { url: 'ws://127.0.0.1:7777', service: 'wss://git.example.com/grasp' }],
    ['of the target as it is dialled', { url: 'wss://git.example.com/grasp' }],
  ])('has the base path %s', (_what, more) => {
    const service = serviceAt('https://git.example.com/grasp/')
    expect(chooseScope({ type: 'listed' }, target({}, more), undefined).scope).toEqual({ type: 'listed', service })
  })

  it('wants --service when a file is the target', () => {
    const file = target({}, { url: 'events.jsonl', isFile: true })
    expect(() => chooseScope({ type: 'listed' }, file, undefined)).toThrow(UsageError)
  })

  it('names repositories and authors', () => {
    const request = { type: 'named', addresses: [{ kind: 30617, pubkey: 'a', d: 'x:y' }], authors: ['b'] } as const
    expect(chooseScope(request, target(), undefined).scope).toEqual({
      type: 'named',
      addresses: ['30617:a:x:y'],
      authors: ['b'],
    })
  })
})

it('every choice says why', () => {
  const whys = [
    chooseScope({ type: 'auto' }, target({ software: 'ngit-grasp' }), undefined),
    chooseScope({ type: 'auto' }, target({ supportedGrasps: ['GRASP-05'] }), undefined),
    chooseScope({ type: 'auto' }, target(), undefined),
    chooseScope({ type: 'auto' }, target({ documentError: 'x' }), 'all'),
    chooseScope({ type: 'auto' }, target({}, { isFile: true }), undefined),
  ].map(({ why }) => why)
  expect(new Set(whys).size).toBe(5)
})
