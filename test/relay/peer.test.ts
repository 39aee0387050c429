import { describe, expect, it } from 'vitest'

import type { Profile } from '../../src/relay/endpoint.ts'
import { createPeer, softwareOf } from '../../src/relay/peer.ts'
import { createMemoryEndpoint } from '../support/memory-endpoint.ts'

function profileOf(profile: Partial<Profile>): Profile {
  return { supportedNips: [], supportedGrasps: [], ...profile }
}

function peerOf(profile: Partial<Profile>) {
  return createPeer(createMemoryEndpoint(), profileOf(profile))
}

describe('createPeer', () => {
  it.each([
    [undefined, 500],
    [5_000, 500],
    [100, 100],
    [0, 1],
  ])('asks for pages of what the relay allows (%s), at most 500', (maxLimit, limit) => {
    expect(peerOf(maxLimit === undefined ? {} : { maxLimit }).pageLimit).toBe(limit)
  })

  it.each([
    [undefined, 49_152],
    [10_000_000, 49_152],
    [20_000, 10_000],
  ])('keeps filters to half of the longest message (%s), at most 48 KiB', (maxMessageBytes, bytes) => {
    expect(peerOf(maxMessageBytes === undefined ? {} : { maxMessageBytes }).maxFilterBytes).toBe(bytes)
  })

  it.each([
    ['https://github.com/fiatjaf/khatru', 100],
    ['ngit-relay', 100],
    ['https://github.com/rnostr/rnostr', 255],
    ['https://gitworkshop.dev/ngit-grasp', 512],
    [undefined, 512],
  ])('knows how long the tag values are that %s indexes', (software, length) => {
    expect(peerOf(software === undefined ? {} : { software }).maxTagValueLength).toBe(length)
  })

  it.each([
    ['https://github.com/fiatjaf/khatru', false],
    ['https://gitworkshop.dev/ngit-grasp', true],
  ])('knows whether %s finds events by their identifiers', (software, finds) => {
    expect(peerOf({ software }).findsIdentifiers).toBe(finds)
  })

  it('knows nothing of the pages before it has seen one', () => {
    expect(peerOf({}).capacity.most).toBe(0)
  })
})

describe('softwareOf', () => {
  it.each<[Partial<Profile>, string | undefined]>([
    [{ software: 'https://gitworkshop.dev/ngit-grasp', version: '1.0.2' }, 'ngit-grasp 1.0.2'],
    [{ software: 'git+https://github.com/hoytech/strfry/' }, 'strfry'],
    [{ software: 'strfry', version: '1' }, 'strfry 1'],
    [{ software: '' }, ''],
    [{ version: '1' }, undefined],
  ])('finds the software of %j', (profile, software) => expect(softwareOf(profileOf(profile))).toBe(software))

  it('takes no time however many slashes a relay says it is (no false green #26)', () => {
    const begun = performance.now()
    expect(softwareOf(profileOf({ software: `${'/'.repeat(500_000)}x` }))).toBe('x')
    expect(performance.now() - begun).toBeLessThan(500)
  })
})
