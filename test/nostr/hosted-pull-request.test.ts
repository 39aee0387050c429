import { npubEncode } from 'nostr-tools/nip19'
import { describe, expect, it } from 'vitest'

import { isHostedPullRequest } from '../../src/nostr/hosted-pull-request.ts'
import { issue, pullRequest, pullRequestUpdate, repositoryAddress } from '../support/builders.ts'
import { alice, bob } from '../support/scenes.ts'
import { serviceAt } from '../support/service-at.ts'

const AT = 'wss://git.example.com'
const NPUB = npubEncode(bob.pubkey)
const HERE = `https://git.example.com/prs/${NPUB}/repo.git`

/** Whether a pull request of bob to a repository of alice is hosted, when it names these URLs in one more `clone`. */
function isHosted(urls: readonly string[], { at = AT, d = 'repo' }: { at?: string; d?: string } = {}): boolean {
  const tags = [['clone', ...urls]]
  return isHostedPullRequest(pullRequest(repositoryAddress(alice, d), bob, { tags }), serviceAt(at))
}

describe('isHostedPullRequest', () => {
  it.each([
    ['its directory', [HERE]],
    ['http', [HERE.replace('https', 'http')]],
    ['capitals in scheme and host', [HERE.replace('https://git', 'HTTPS://Git')]],
    ['slashes at the end', [`${HERE}//`]],
    ['the URL behind others', ['https://elsewhere.test/x.git', '', HERE]],
  ])('knows %s', (_what, urls) => expect(isHosted(urls)).toBe(true))

  it.each([
    ['another host', HERE.replace('git.', 'evil.')],
    ['a port', HERE.replace('.com', '.com:443')],
    ['a user', HERE.replace('://', '://user@')],
    ['the host as a user', HERE.replace('https://git.example.com', 'https://git.example.com@evil.test')],
    ['another scheme', HERE.replace('https', 'ssh')],
    ['no scheme', HERE.replace('https://', '')],
    ['a query', `${HERE}?x=1`],
    ['a fragment', `${HERE}#x`],
    ['a base path', HERE.replace('/prs', '/grasp/prs')],
    ['capitals in the path', HERE.replace('/prs', '/PRS')],
    ['no directory of pull requests', HERE.replace('/prs', '')],
    ['the directory of another author', HERE.replace(NPUB, npubEncode(alice.pubkey))],
    ['a key in hex', HERE.replace(NPUB, bob.pubkey)],
    ['another identifier', HERE.replace('repo.git', 'other.git')],
    ['no `.git`', HERE.replace('.git', '')],
    ['no identifier', HERE.replace('repo.git', '.git')],
    ['a path below', HERE.replace('repo.git', 'x/repo.git')],
    ['a path that climbs', HERE.replace('/prs', '/prs/x/..')],
    ['a backslash', HERE.replace('/repo', '\\repo')],
    ['no path', 'https://git.example.com'],
    ['nothing', ''],
    ['a URL that is too long', `${HERE}${'/'.repeat(2_048)}`],
    ['half of a surrogate pair', HERE.replace('repo', '\ud800')],
  ])('does not know %s', (_what, url) => expect(isHosted([url])).toBe(false))

  it.each([
    ['ws://127.0.0.1:7000', `http://127.0.0.1:7000/prs/${NPUB}/repo.git`, true],
    ['ws://127.0.0.1:7000', `http://127.0.0.1:7001/prs/${NPUB}/repo.git`, false],
    ['ws://127.0.0.1:7000', `http://127.0.0.1/prs/${NPUB}/repo.git`, false],
    ['ws://127.0.0.1:7000/grasp', `http://127.0.0.1:7000/grasp/prs/${NPUB}/repo.git`, true],
    ['ws://127.0.0.1:7000/grasp', `http://127.0.0.1:7000/prs/${NPUB}/repo.git`, false],
    ['ws://[::1]:7000', `http://[::1]:7000/prs/${NPUB}/repo.git`, true],
  ])('at %s knows %s: %s', (at, url, expected) => expect(isHosted([url], { at })).toBe(expected))

  it.each([
    ['my repo', 'my%20repo'],
    ['größe', 'gr%C3%B6%c3%9fe'],
    ['größe', 'größe'],
    ['50%', '50%25'],
    ['50% off', '50%%20off'],
    ['%ff', '%ff'],
    ['a:b', 'a:b'],
    ['x.git', 'x.git'],
  ])('knows %j by %s', (d, name) => expect(isHosted([HERE.replace('repo', name)], { d })).toBe(true))

  it('takes an update as well, and no other kind', () => {
    const root = pullRequest(repositoryAddress(alice, 'repo'), alice)
    const tags = [['clone', HERE]]
    const service = serviceAt(AT)
    expect(isHostedPullRequest(pullRequestUpdate(root, bob, { tags }), service)).toBe(true)
    expect(isHostedPullRequest(issue(repositoryAddress(alice, 'repo'), bob, { tags }), service)).toBe(false)
  })

  it.each([
    ['its key in capitals', `30617:${alice.pubkey.toUpperCase()}:repo`, true],
    ['no repository', `30618:${alice.pubkey}:repo`, false],
    ['no key', `30617:${alice.pubkey.slice(1)}:repo`, false],
    ['no identifier', `30617:${alice.pubkey}:`, false],
  ])('judges an `a` with %s', (_what, address, expected) => {
    const event = pullRequest(address, bob, { tags: [['clone', HERE]] })
    expect(isHostedPullRequest(event, serviceAt(AT))).toBe(expected)
  })

  it('takes time in proportion to what was written', () => {
    const urls = Array.from({ length: 20_000 }, () => `${HERE.slice(0, -9)}${'%'.repeat(1_000)}.git${'/'.repeat(900)}`)
    const event = {
      ...pullRequest(repositoryAddress(alice, 'repo'), bob),
      tags: [
        ['a', repositoryAddress(alice, 'repo')],
        ['clone', ...urls],
      ],
    }
    const begin = performance.now()
    expect(isHostedPullRequest(event, serviceAt(AT))).toBe(false)
    expect(performance.now() - begin).toBeLessThan(3_000)
  })
})
