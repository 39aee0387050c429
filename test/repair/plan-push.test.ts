import { describe, expect, it } from 'vitest'

import { planPush, type PushRules } from '../../src/repair/plan-push.ts'
import type { WantedRefs } from '../../src/repair/wanted-refs.ts'

const [one, two, three] = ['1', '2', '3'].map((digit) => digit.repeat(40)) as [string, string, string]
const MAIN = 'refs/heads/main'
const TIP = `refs/nostr/${'a'.repeat(64)}`

const wanted: WantedRefs = {
  refs: new Map([
    [MAIN, one],
    ['refs/tags/v1', two],
  ]),
  head: MAIN,
  tips: new Map([[TIP, three]]),
}
const grasp: PushRules = { takesState: true, isExact: true, mayPrune: false }
const stale = new Map([
  [MAIN, one],
  ['refs/heads/old', three],
  ['refs/nostr/other', three],
])

describe('planPush', () => {
  it('pushes what differs, branches and tags apart from pull requests', () => {
    expect(planPush(wanted, new Map([[MAIN, one]]), grasp)).toEqual({
      state: [{ ref: 'refs/tags/v1', to: two }],
      tips: [{ ref: TIP, to: three }],
      stale: [],
    })
  })

  it('pushes only pull requests where no state is taken, or there is none', () => {
    const none = { state: [], tips: [{ ref: TIP, to: three }], stale: [] }
    expect(planPush(wanted, new Map(), { ...grasp, takesState: false })).toEqual(none)
    expect(planPush({ ...wanted, refs: null }, stale, grasp)).toEqual(none)
  })

  it('pushes no branch while refs that the state does not name would remain, and deletes none unasked', () => {
    expect(planPush(wanted, stale, grasp)).toMatchObject({ state: [], stale: ['refs/heads/old'] })
  })

  it('deletes them in the same push when that is allowed, but no pull request', () => {
    const { state } = planPush(wanted, stale, { ...grasp, mayPrune: true })
    expect(state).toEqual([
      { ref: 'refs/tags/v1', to: two },
      { ref: 'refs/heads/old', to: null },
    ])
  })

  it('deletes nothing at a target that takes no deletion, and pushes the rest', () => {
    const plan = planPush(wanted, stale, { takesState: true, isExact: false, mayPrune: true })
    expect(plan).toMatchObject({ state: [{ ref: 'refs/tags/v1', to: two }], stale: [] })
  })

  it('keeps back branches below pr/ where they would have the whole push refused', () => {
    const signed = { ...wanted, refs: new Map([...(wanted.refs ?? []), ['refs/heads/pr/one', three]]) }
    const pushedBy = (isExact: boolean) =>
      planPush(signed, new Map(), { takesState: true, isExact, mayPrune: false }).state.map(({ ref }) => ref)
    expect(pushedBy(false)).toEqual([MAIN, 'refs/tags/v1'])
    expect(pushedBy(true)).toEqual([MAIN, 'refs/tags/v1', 'refs/heads/pr/one'])
  })
})
