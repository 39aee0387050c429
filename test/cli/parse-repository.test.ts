import { describe, expect, it } from 'vitest'
import { parseAuthor, parseRepository } from '../../src/cli/parse/parse-repository.ts'
import { encodePublicKey, encodeRepository } from '../../src/nostr/nip19.ts'

const HEX = '84dee6e676e5bb67b4ad4e042cf70cbd8681155db535942fcc6a0533858a7240'
const NPUB = encodePublicKey(HEX)
const NADDR = encodeRepository({ kind: 30617, pubkey: HEX, d: 'my-repo' })
const NSEC = 'nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5'

describe('parseRepository', () => {
  it.each([
    [NADDR, 'my-repo'],
    [`nostr:${NADDR}`, 'my-repo'],
    [`nostr://${NADDR}`, 'my-repo'],
    [`30617:${HEX}:my-repo`, 'my-repo'],
    [`30617:${HEX}:with:colons`, 'with:colons'],
    [`30617:${HEX}:`, ''],
    [`30617:${NPUB}:my-repo`, 'my-repo'],
    [`${NPUB}/my-repo`, 'my-repo'],
    [`${HEX}/with/slash%20`, 'with/slash%20'],
    [`nostr://${NPUB}/my-repo`, 'my-repo'],
    [`nostr://${NPUB}/my-repo/`, 'my-repo'],
    [`nostr://${NPUB}/relay.ngit.dev/my-repo`, 'my-repo'],
    [`nostr://${NPUB}/wss%3A%2F%2Frelay.ngit.dev/my%20repo`, 'my repo'],
    [`nostr://${NPUB}/100%`, '100%'],
    [`nostr://me@${NPUB}/my-repo`, 'my-repo'],
    [`nostr://me@ssh/${NPUB}/relay.ngit.dev/my-repo`, 'my-repo'],
  ])('reads %s', (text, d) => {
    expect(parseRepository(text)).toEqual({ type: 'ok', value: { kind: 30617, pubkey: HEX, d } })
  })

  it.each([
    ['my-repo', /is not a repository: give an naddr/],
    [`${NADDR.slice(0, -1)}x`, /not a valid naddr/],
    [encodeRepository({ kind: 30023, pubkey: HEX, d: 'post' }), /is of kind 30023/],
    [`1621:${HEX}:x`, /is of kind 1621/],
    ['30617:me:my-repo', /no valid public key/],
    [`${NPUB}/`, /no identifier/],
    [`nostr://${NPUB}`, /is not a repository/],
    ['nostr://dan@example.com/ngit', /NIP-05/],
    ['https://github.com/a/b', /is not a repository/],
  ])('refuses %s', (text, problem) => {
    expect(parseRepository(text)).toMatchObject({ type: 'wrong', problem: expect.stringMatching(problem) as string })
  })
})

describe('parseAuthor', () => {
  it.each([NPUB, HEX, HEX.toUpperCase(), `nostr:${NPUB}`])('reads %s', (text) => {
    expect(parseAuthor(text)).toEqual({ type: 'ok', value: HEX })
  })

  it.each([NADDR, 'npub1xyz', HEX.slice(1), ''])('refuses "%s"', (text) => {
    expect(parseAuthor(text)).toMatchObject({ type: 'wrong', secret: false })
  })

  it('never repeats a secret key', () => {
    expect(parseAuthor(NSEC)).toMatchObject({ type: 'wrong', secret: true })
    expect(parseRepository(`${NSEC}/my-repo`)).toMatchObject({ type: 'wrong', secret: true })
  })
})
