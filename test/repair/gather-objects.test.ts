import { describe, expect, it } from 'vitest'

import type { Fetched, GitPlace, Listing, Workshop } from '../../src/git/git-access.ts'
import { gatherObjects } from '../../src/repair/gather-objects.ts'

const [one, two, three] = ['1', '2', '3'].map((digit) => digit.repeat(40)) as [string, string, string]

type Server = {
  readonly has?: readonly string[]
  /** What its refs point to. @default what it has */
  readonly shows?: readonly string[]
  readonly fetched?: Partial<Fetched>
  readonly isDown?: boolean
}

/** Servers, a workshop that gets from them what they have, and the order of the fetches. */
function scene(servers: Readonly<Record<string, Server>>) {
  const here = new Set<string>()
  const asked: [url: string, ids: readonly string[]][] = []
  const listings = {
    async list({ url }: GitPlace): Promise<Listing> {
      const { has = [], shows = has, isDown = false } = servers[url] ?? {}
      if (isDown) return { type: 'unreachable', reason: 'connection refused' }
      const refs = new Map(shows.map((id) => [`refs/heads/${id}`, id]))
      return { type: 'refs', refs, head: null, format: 'sha1' }
    },
  }
  const workshop: Pick<Workshop, 'fetch' | 'findIncomplete'> = {
    async fetch({ url }, ids) {
      asked.push([url, ids])
      for (const id of servers[url]?.has ?? []) if (ids.includes(id)) here.add(id)
      return { reason: null, isTooLarge: false, ...servers[url]?.fetched }
    },
    findIncomplete: async (ids) => ids.filter((id) => !here.has(id)),
  }
  const places = Object.keys(servers).map((url) => ({ url, isNamed: false }))
  const gather = (ids: readonly string[]) => gatherObjects(listings, { workshop: workshop as Workshop, places }, ids)
  return { gather, asked, here }
}

describe('gatherObjects', () => {
  it('asks the server that shows most of them first, and others only for the rest', async () => {
    const { gather, asked } = scene({ a: { has: [one] }, b: { has: [two, three] } })
    expect(await gather([one, two, three])).toEqual({ missing: [], reasons: [], isTooLarge: false })
    expect(asked).toEqual([
      ['b', [one, two, three]],
      ['a', [one]],
    ])
  })

  it('asks nobody for what is here', async () => {
    const { gather, asked, here } = scene({ a: { has: [one] } })
    here.add(one)
    expect((await gather([one])).missing).toEqual([])
    expect(asked).toEqual([])
  })

  it('also asks servers that do not show an object: they may have it behind no ref', async () => {
    const { gather } = scene({ a: { has: [one], shows: [] } })
    expect((await gather([one])).missing).toEqual([])
  })

  it('says what no server has, and why servers gave nothing', async () => {
    const { gather } = scene({ a: { isDown: true }, b: { has: [one], fetched: { reason: 'not our ref' } } })
    expect(await gather([one, two])).toEqual({
      missing: [two],
      reasons: ['a: unreachable: connection refused', 'b: not our ref'].sort().reverse(),
      isTooLarge: false,
    })
  })

  it('ends where a limit of ours was met', async () => {
    const limited = { fetched: { reason: 'more than 1 MiB', isTooLarge: true } }
    const { gather, asked } = scene({ a: limited, b: { has: [] } })
    expect(await gather([one])).toMatchObject({ missing: [one], isTooLarge: true })
    expect(asked.length).toBe(1)
  })
})
