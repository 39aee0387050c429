/*
 * Tests whether events that a relay does not bring are really absent. Asks a broad question, narrowed to one second,
 * for a row that the relay has shown. A relay that answers such questions brings the row. If it does not, but shows the
 * row again for the original question, it omits events that it holds. Asking in this order keeps events that come or go
 * in between from making an honest relay suspect.
 */
import { parseStamp } from '../../nostr/event.ts'
import type { Filter } from '../../nostr/filter.ts'
import { isOfShape, questionOf, type Breadth, type Shape, type ShownRow, type Verdict } from './breadth.ts'
import type { Page } from '../endpoint.ts'
import type { Peer } from '../peer.ts'

/** Asks the relay within its limits. */
export type Ask = (filter: Filter) => Promise<Page>

type Asked = Pick<Peer, 'breadth' | 'capacity' | 'pageLimit' | 'findsIdentifiers'>

/** Tests the doubtful answers. Returns true if the relay turned out to omit events that it holds. */
export async function proveBreadth(peer: Asked, ask: Ask): Promise<boolean> {
  const { breadth } = peer
  const before = summary(breadth)
  const hasVerdict = (verdict: Verdict) => (shape: Shape) => breadth.verdict(shape) === verdict
  await Promise.all(
    breadth.takeDoubts().map(async ({ key, row }) => {
      if (await leavesOut(questionOf(key), row, peer, ask)) breadth.disbelieve(shapeOfKey(key))
    }),
  )
  await Promise.all(breadth.unproven().map((shape) => tryShape(shape, peer, ask)))
  if (breadth.unproven().some(isTag) && !breadth.tags().some(hasVerdict('answers')))
    await Promise.all(
      standInsAt(peer)
        .filter(hasVerdict('unknown'))
        .map((shape) => tryShape(shape, peer, ask)),
    )
  const narrow = breadth.tags().filter(hasVerdict('needs-kinds'))
  await Promise.all(narrow.map((tag) => tryWithKinds(tag, peer, ask)))
  return summary(breadth) !== before
}

/** The shapes that an announcement or a state can test while no event that refers to others is known. */
function standInsAt({ findsIdentifiers }: Asked): readonly Shape[] {
  return findsIdentifiers ? ['kinds', '#d'] : ['kinds']
}

function isTag(shape: Shape): boolean {
  return shape !== 'kinds'
}

async function tryShape(shape: Shape, peer: Asked, ask: Ask): Promise<void> {
  const { breadth } = peer
  const row = breadth.rowFor(shape)
  if (row === undefined) return
  if (await leavesOut(questionFor(shape, row), row, peer, ask)) breadth.disbelieve(shape)
  else breadth.believe(shape)
}

/** Adding kinds to the tag must bring the same row; otherwise there is no way to ask for it. */
async function tryWithKinds(tag: Shape, peer: Asked, ask: Ask): Promise<void> {
  const row = peer.breadth.rowFor(tag)
  if (row === undefined) return
  const question = { ...questionFor(tag, row), kinds: [row.kind] }
  if (await leavesOut(question, row, peer, ask)) peer.breadth.giveUp(tag)
}

/** The question of this shape that the row answers. */
function questionFor(shape: Shape, { keys }: ShownRow): Filter {
  return questionOf(keys.find((key) => isOfShape(key, shape)) ?? '')
}

function shapeOfKey(key: string): Shape {
  return key.startsWith('#') ? `#${key.slice(1, key.indexOf('='))}` : 'kinds'
}

/** Whether the relay holds the row but does not bring it for this question. */
async function leavesOut(question: Filter, row: ShownRow, peer: Asked, ask: Ask): Promise<boolean> {
  const brings = (filter: Filter): Promise<boolean | undefined> => bringsRow(filter, row, peer, ask)
  return (
    (await brings(question)) === false && (await brings(row.question)) === true && (await brings(question)) === false
  )
}

/** Whether the row comes; `undefined` if unknown, because the page has no end or other rows may have left no room. */
async function bringsRow(filter: Filter, row: ShownRow, peer: Asked, ask: Ask): Promise<boolean | undefined> {
  // Some relays exclude the second of `since` or of `until`.
  const around = { since: Math.max(0, row.createdAt - 1), until: row.createdAt + 1 }
  const { rows, end, readOver = 0 } = await ask({ ...filter, ...around, limit: peer.pageLimit })
  if (rows.some((each) => parseStamp(each)?.id === row.id)) return true
  const isCutOff = readOver > 0 || (rows.length > 0 && rows.length >= peer.capacity.most)
  return end.type === 'eose' && end.hint !== 'more' && !isCutOff ? false : undefined
}

function summary(breadth: Breadth): string {
  const verdicts = (['kinds', ...breadth.tags()] as const).map((shape) => breadth.verdict(shape))
  return [...verdicts, breadth.leavesOut].join(' ').replaceAll('unknown', 'answers')
}
