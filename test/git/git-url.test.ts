import { describe, expect, it } from 'vitest'

import { readGitUrl } from '../../src/git/git-url.ts'

describe('readGitUrl', () => {
  // With URL.canParse, Node 20 forgets such hosts after some thousand calls.
  it('reads a host beyond ASCII every time', () => {
    const place = { url: 'https://münchen.example/npub1x/hello.git', isNamed: true }
    const hosts = new Set(
      Array.from({ length: 20_000 }, () => {
        const read = readGitUrl(place, false)
        return typeof read === 'string' ? read : read.hostname
      }),
    )
    expect([...hosts]).toEqual(['xn--mnchen-3ya.example'])
  })
})
