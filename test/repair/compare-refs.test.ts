import { describe, expect, it } from 'vitest'

import type { Listing } from '../../src/git/git-access.ts'
import { compareRefs } from '../../src/repair/compare-refs.ts'
import type { WantedRefs } from '../../src/repair/wanted-refs.ts'

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string]
const MAIN = 'refs/heads/main'
const TIP = `refs/nostr/${'1'.repeat(64)}`
const WANTED: WantedRefs = {
  refs: new Map([
    [MAIN, A],
    ['refs/tags/v1', B],
  ]),
  head: MAIN,
  tips: new Map([[TIP, C]]),
}
const WHOLE = { [MAIN]: A, 'refs/tags/v1': B, [TIP]: C }

function listing(refs: Readonly<Record<string, string>>, head: string | null = MAIN): Listing {
  return { type: 'refs', refs: new Map(Object.entries(refs)), head, format: 'sha1' }
}

function judge(listed: Listing, wanted: WantedRefs = WANTED) {
  const { verdict, behind, missing, extra } = compareRefs(wanted, listed, { tips: true })
  return { verdict, behind, missing, extra }
}

const none = { behind: [], missing: [], extra: [] }

describe('compareRefs', () => {
  it('is in sync when every ref and HEAD are as signed', () => {
    expect(judge(listing(WHOLE))).toEqual({ verdict: 'in sync', ...none })
  })

  it('names the refs that point elsewhere', () => {
    expect(judge(listing({ ...WHOLE, [MAIN]: C }))).toEqual({ verdict: 'behind', ...none, behind: [MAIN] })
  })

  it('names the refs that are not there, and says so before what is behind', () => {
    const found = judge(listing({ [MAIN]: C, [TIP]: C }))
    expect(found).toEqual({ verdict: 'missing', behind: [MAIN], missing: ['refs/tags/v1'], extra: [] })
  })

  it('misses the tip of a pull request at a GRASP server only', () => {
    const listed = listing({ [MAIN]: A, 'refs/tags/v1': B })
    expect(judge(listed)).toMatchObject({ verdict: 'missing', missing: [TIP] })
    expect(compareRefs(WANTED, listed, { tips: false }).verdict).toBe('in sync')
  })

  it('is behind the state with a branch that the state does not name', () => {
    expect(judge(listing({ ...WHOLE, 'refs/heads/old': A }))).toMatchObject({
      verdict: 'extra',
      extra: ['refs/heads/old'],
    })
  })

  it('does not mind further tips and refs of other sorts', () => {
    expect(judge(listing({ ...WHOLE, 'refs/nostr/other': A, 'refs/pull/1/head': A })).verdict).toBe('in sync')
  })

  it.each([['refs/heads/other'], [null]])('says that HEAD differs when it is %j', (head) => {
    expect(judge(listing(WHOLE, head)).verdict).toBe('HEAD differs')
  })

  it('does not ask for a HEAD whose branch the state does not have', () => {
    expect(judge(listing(WHOLE, null), { ...WANTED, head: 'refs/heads/gone' }).verdict).toBe('in sync')
  })

  it('calls a repository without refs empty, unless nothing is wanted', () => {
    expect(judge(listing({}))).toMatchObject({ verdict: 'empty' })
    expect(judge(listing({}), { refs: new Map(), head: null, tips: new Map() })).toEqual({
      verdict: 'in sync',
      ...none,
    })
  })

  it('says of a repository without a state that none was announced, whatever it has', () => {
    const found = judge(listing({ 'refs/heads/x': A }), { refs: null, head: null, tips: new Map() })
    expect(found).toEqual({ verdict: 'no state announced', ...none })
  })

  it('misses a tip although no state was announced', () => {
    expect(judge(listing({ [MAIN]: A }), { ...WANTED, refs: null, head: null }).verdict).toBe('missing')
  })

  it.each(['no repository', 'unreachable', 'not asked'] as const)('passes on "%s" with its reason', (type) => {
    const { verdict, reason } = compareRefs(WANTED, { type, reason: 'why' }, { tips: true })
    expect([verdict, reason]).toEqual([type, 'why'])
  })
})
