import { describe, expect, it } from 'vitest'

import type { RunEvent } from '../../src/run-event.ts'
import { Waker } from '../../src/serve/waker.ts'

const GRASP = 'https://gitworkshop.dev/danconwaydev.com/ngit-grasp'

/** A waker of a target with this software, looked at every 10 seconds. */
function createScene(software: string, clients = 2) {
  let nowMs = 0
  const told: RunEvent[] = []
  const wokenAt: number[] = []
  const hangUp = (): number => {
    wokenAt.push(nowMs / 1_000)
    return clients
  }
  const world = { nowMs: () => nowMs, tell: (event: RunEvent) => void told.push(event) }
  const waker = new Waker({ hangUp }, { target: { profile: { software, version: '3.0.10' } }, world })
  const look = (seconds: number, hasProgressed = false): void => {
    for (const end = nowMs + seconds * 1_000; nowMs < end;) {
      nowMs += 10_000
      waker.note(hasProgressed)
    }
  }
  return { look, told, wokenAt }
}

describe('Waker', () => {
  it('has an ngit-grasp that takes nothing come again, rarer and rarer, up to 20 minutes', () => {
    const { look, wokenAt } = createScene(GRASP)
    look(6_200)
    expect(wokenAt).toEqual([60, 180, 420, 900, 1_860, 3_060, 4_260, 5_460])
  })

  it('says so, if anybody was there', () => {
    const scene = createScene(GRASP)
    scene.look(60)
    expect(scene.told).toEqual([{ type: 'hung-up', clients: 2, lullMs: 60_000 }])
    const empty = createScene(GRASP, 0)
    empty.look(60)
    expect(empty.told).toEqual([])
  })

  it('lets one be that takes something, and begins anew after that', () => {
    const { look, wokenAt } = createScene(GRASP)
    look(70)
    look(600, true)
    look(50)
    expect(wokenAt).toEqual([60])
    look(10)
    expect(wokenAt).toEqual([60, 730])
  })

  it('leaves other software alone', () => {
    const { look, wokenAt } = createScene('git+https://github.com/hoytech/strfry.git')
    look(6_200)
    expect(wokenAt).toEqual([])
  })
})
