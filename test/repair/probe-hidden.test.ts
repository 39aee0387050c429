import { describe, expect, it } from 'vitest'

import type { GitPlace, Listing, ObjectId, Probed } from '../../src/git/git-access.ts'
import { Listings } from '../../src/repair/listings.ts'
import { probeHidden } from '../../src/repair/probe-hidden.ts'

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string]
const EMPTY: Listing = { type: 'refs', refs: new Map(), head: null, format: 'sha1' }

function placeAt(host: string): GitPlace {
  return { url: `https://${host}/x.git`, isNamed: false }
}

/** Servers by host: what each lists, and what it says of objects; by default that it lacks them. */
function serve(servers: Record<string, { readonly listing?: Listing; readonly says?: Record<ObjectId, Probed> }>) {
  const asked: (readonly ObjectId[])[] = []
  const listings = {
    probe({ url }: GitPlace, ids: readonly ObjectId[]) {
      asked.push(ids)
      const says = servers[new URL(url).host]?.says ?? {}
      return Promise.resolve(new Map(ids.map((id) => [id, says[id] ?? 'lacks it'] as const)))
    },
  }
  const listed = Object.entries(servers).map(([host, { listing = EMPTY }]) => ({ place: placeAt(host), listing }))
  return { asked, probe: (ids: readonly ObjectId[]) => probeHidden(listed, new Set(ids), listings) }
}

describe('probeHidden', () => {
  it('finds at each server what it has, and what all of them lack', async () => {
    const { probe } = serve({ one: { says: { [A]: 'has it' } }, two: { says: { [B]: 'not known' } } })
    const { at, absent } = await probe([A, B, C])
    expect(at.get('https://one/x.git')).toEqual(new Set([A]))
    expect([at.get('https://two/x.git')?.size, [...absent]]).toEqual([0, [C]])
  })

  it('asks for nothing that a server shows, and no server without a repository', async () => {
    const listing: Listing = { ...EMPTY, refs: new Map([['refs/heads/main', A]]) }
    const { probe, asked } = serve({ one: { listing }, two: { listing: { type: 'no repository', reason: '404' } } })
    await probe([A])
    expect(asked).toEqual([])
    await probe([A, B])
    expect(asked).toEqual([[B]])
  })

  it('asks for ten, and says nothing of the others', async () => {
    const ids = Array.from({ length: 12 }, (_, at) => at.toString(16).repeat(40))
    const { probe, asked } = serve({ one: {} })
    expect([...(await probe(ids)).absent]).toEqual(ids.slice(0, 10))
    expect(asked).toEqual([ids.slice(0, 10)])
  })
})

describe('Listings.probe', () => {
  it('asks a host no more that did not say four times in a row', async () => {
    let [asked, said]: [number, Probed] = [0, 'not known']
    const listings = new Listings({
      listRefs: () => Promise.resolve(EMPTY),
      probe: (_place, ids) => {
        asked += 1
        return Promise.resolve(new Map(ids.map((id) => [id, said] as const)))
      },
    })
    const ask = async (times: number): Promise<void> => {
      for (let at = 0; at < times; at += 1) await listings.probe(placeAt('one'), [A])
    }
    await ask(3)
    said = 'lacks it'
    await ask(1)
    said = 'not known'
    await ask(9)
    expect(asked).toBe(8)
    expect((await listings.probe(placeAt('one'), [A])).get(A)).toBeUndefined()
  })
})
