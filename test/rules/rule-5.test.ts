import { describe, expect, it } from 'vitest'

import type { Report } from '../../src/report/report.ts'
import { announcement, comment, SOME_TIME, vanishRequest } from '../support/builders.ts'
import { alice, bob, carol, smallRepository } from '../support/scenes.ts'
import { keyOf } from '../support/sign.ts'
import { createWorkbench, endArguments } from '../support/workbench.ts'

/*
 * Rule 5. Every refusal reaches the report with the relay's own reason. Nothing is logged and forgotten.
 */

const scene = smallRepository()

/** One comment for each text, and what the text leads to. */
const TEXTS: readonly (readonly [text: string, outcome: string])[] = [
  ['blocked: not on my watch', 'refused'],
  ['pow: difficulty 3 is less than 28', 'refused'],
  ['mute: author is muted', 'refused'],
  ['invalid: too many tags', 'refused'],
  ['invalid: invalid event signature', 'invalid'],
  ['error: could not connect to the database', 'waiting'],
  ['the moon is full', 'waiting'],
  ['', 'waiting'],
  ['Event event must reference an accepted repository or accepted event', 'waiting'],
  ['invalid: event too large: 70000', 'too-large'],
  ['deleted: user requested deletion', 'deleted'],
  ['purgatory: won\u2019t be served until git data arrives', 'pending'],
  ['blocked: a reason that is as long as this one and longer still '.repeat(4), 'refused'],
]
const comments = TEXTS.map(([text], index) =>
  comment(scene.issue, bob, { content: text, createdAt: scene.comment.created_at + index }),
)

/** A run whose target answers each comment with its text. */
async function refusedRun(...args: readonly string[]) {
  const bench = createWorkbench()
  const source = await bench.scripted({ events: [...scene.events, ...comments] })
  const target = await bench.scripted({
    onEvent: ({ id }) => {
      const [text, outcome] = TEXTS[comments.findIndex((each) => each.id === id)] ?? []
      return text === undefined ? 'default' : { ok: outcome === 'pending', text, store: false }
    },
  })
  const result = await bench.run(['catchup', ...endArguments(source, target), ...args])
  return { bench, source, target, ...result }
}

function told(report: Report): (readonly [string, string])[] {
  return report.problems.map(({ reason, what }) => [reason, what] as const)
}

describe('what the target refuses', () => {
  it('is in the report, each with the words of the relay, its outcome and an example', async () => {
    const report = (await refusedRun('--json')).json<Report>()
    expect(told(report).sort()).toEqual([...TEXTS].sort())
    for (const { example, count } of report.problems) {
      expect([comments.some(({ id }) => id === example), count]).toEqual([true, 1])
    }
  })

  it('is counted in its layer: nothing that was sent has no outcome', async () => {
    const { layers, totals } = (await refusedRun('--json')).json<Report>()
    const counted = layers.flatMap(({ outcomes }) => Object.values(outcomes)).reduce((sum, count) => sum + count, 0)
    expect(counted).toBe(scene.events.length + comments.length)
    expect(totals.parked).toBeLessThan(counted)
  })

  it('is in the table for people, with --verbose every word of it', async () => {
    const { stdout } = await refusedRun('--verbose')
    const words = stdout.replaceAll(/\s+/g, ' ')
    for (const [text] of TEXTS) expect(words).toContain(text.trim().replaceAll(/\s+/g, ' '))
  })

  it('is in the status afterwards', async () => {
    const { bench } = await refusedRun()
    const { stdout } = await bench.run(['status', '--json'])
    for (const [text, outcome] of TEXTS) {
      if (outcome !== 'deleted') expect(stdout).toContain(JSON.stringify(text))
    }
  })

  it('is still told by the next run, which does not send it again', async () => {
    const { bench, source, target } = await refusedRun()
    target.forgetReceived()
    const { report } = await bench.catchup(source, target)
    expect(report.totals.refused).toBe(TEXTS.filter(([, outcome]) => isSettled(outcome)).length)
    for (const [index, [, outcome]] of TEXTS.entries()) {
      if (isSettled(outcome)) expect(target.countSends(comments[index]?.id ?? '')).toBe(0)
    }
  })
})

function isSettled(outcome: string): boolean {
  return ['refused', 'invalid', 'too-large', 'deleted'].includes(outcome)
}

describe('what a source refuses', () => {
  it('is in the report with its words, for each reason', async () => {
    const bench = createWorkbench()
    const reasons = ['auth-required: pay first', 'restricted: not you', 'error: out of ideas']
    const sources = await Promise.all(reasons.map((reason) => bench.scripted({ closeReq: () => reason })))
    const { code, report } = await bench.catchup(sources, await bench.scripted())
    expect(code).toBe(3)
    for (const [index, reason] of reasons.entries()) {
      const own = report.problems.filter(({ where }) => where === sources[index]?.url)
      expect(own.map((problem) => problem.reason).join('\n')).toContain(reason)
    }
  })

  it('by not answering at all is named with the error of the system', async () => {
    const bench = createWorkbench()
    const gone = await bench.scripted()
    await gone.close()
    const { code, report } = await bench.catchup(
      [gone, await bench.scripted()],
      await bench.scripted(),
      '--retries',
      '0',
    )
    expect(code).toBe(3)
    expect(report.problems.find(({ where }) => where === gone.url)?.reason).toMatch(/ECONNREFUSED/)
  })
})

describe('what a relay says besides', () => {
  it.each(['source', 'target'] as const)('as a NOTICE of the %s is in the report, counted', async (place) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: scene.events })
    const target = await bench.scripted()
    const talkative = place === 'source' ? source : target
    let isTold = false
    talkative.behaviour.onReq = ({ answer }) => {
      if (isTold) return 'default'
      isTold = true
      return { ...answer, end: { type: 'notice', text: 'the disk is almost full' } }
    }
    const { report } = await bench.catchup(source, target, '--idle-timeout', '300ms')
    expect(report.problems).toContainEqual(
      expect.objectContaining({ what: 'notice', where: talkative.url, reason: 'the disk is almost full', count: 1 }),
    )
  })

  it('about us, with one text for all that it is sent, settles nothing', async () => {
    const bench = createWorkbench()
    const events = Array.from({ length: 9 }, (_, n) => announcement(keyOf(`owner ${n}`), 'hello'))
    const source = await bench.scripted({ events })
    const target = await bench.scripted({ onEvent: () => ({ ok: false, text: 'blocked: not from you' }) })
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.totals.parked, report.totals.refused]).toEqual([1, 9, 0])
    expect(report.problems).toContainEqual(expect.objectContaining({ what: 'target', reason: 'blocked: not from you' }))
  })

  it('by closing the door is the reason of the end, exit 1, and everything waits', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: scene.events })
    const target = await bench.scripted({ onEvent: () => ({ ok: false, text: 'restricted: you are not a member' }) })
    const { code, report } = await bench.catchup(source, target)
    expect([code, report.totals.parked]).toEqual([1, scene.events.length])
    expect(report.problems).toContainEqual(
      expect.objectContaining({ what: 'target', where: target.url, reason: 'restricted: you are not a member' }),
    )
  })
})

describe('what a source serves wrongly', () => {
  it('is counted, with an example of what is forged', async () => {
    const bench = createWorkbench()
    const forged = { ...scene.comment, content: 'forged' }
    const source = await bench.scripted({
      events: [...scene.events.slice(0, 3), forged],
      onReq: ({ answer, filters }) =>
        filters[0]?.kinds?.[0] === 30617 ? { ...answer, rows: [...answer.rows, null, alice] } : 'default',
    })
    const { report } = await bench.catchup(source, await bench.scripted())
    expect(report.problems).toContainEqual(
      expect.objectContaining({ what: 'invalid', where: source.url, reason: 'wrong id', example: forged.id }),
    )
    expect(report.problems).toContainEqual(
      expect.objectContaining({ what: 'invalid', where: source.url, reason: 'not an event' }),
    )
  })
})

describe('an event that is not sent because its author has vanished', () => {
  const [before, after] = [-1, 1].map((seconds) => comment(scene.issue, carol, { createdAt: SOME_TIME + seconds }))
  const request = vanishRequest(['ALL_RELAYS'], carol, { createdAt: SOME_TIME })

  it('is counted, and is no newer than the request', async () => {
    const bench = createWorkbench()
    const [announced, pushed, bug] = scene.events
    const events = [announced, pushed, bug, before, after, request].flatMap((event) => event ?? [])
    const [source, target] = await Promise.all([bench.scripted({ events }), bench.scripted()])
    const { code, report } = await bench.catchup(source, target)
    expect(report.layers[2]).toMatchObject({ published: 1, dropped: { vanished: 1 } })
    expect([code, target.events.has(after?.id ?? ''), target.events.has(before?.id ?? '')]).toEqual([0, true, false])
  })
})
