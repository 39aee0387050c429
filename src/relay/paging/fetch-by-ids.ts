import { chunkByCountAndBytes } from '../../nostr/chunk.ts'
import { parseEvent, parseStamp, type NostrEvent } from '../../nostr/event.ts'
import { describeEnd } from '../describe-end.ts'
import type { Drain, DrainContext } from './drain.ts'

/**
 * The result of asking for ids; counts as in `Drain`. `reason` says why not all were asked for. `unserved` ids were
 * asked for and did not come.
 */
export type Fetched = Drain & { readonly unserved: readonly string[] }

const CHUNK = { maxCount: 250, maxBytes: 20_000 }
const IN_FLIGHT = 6

type Tally = { -readonly [Name in keyof Drain]: Drain[Name] } & { unserved: string[] }

/**
 * Hands the events with these ids to the sink. Page caps do no harm: missing ids are asked for again until a page
 * brings nothing new.
 */
export async function fetchByIds(
  ids: readonly string[],
  context: Pick<DrainContext, 'request' | 'sink'>,
): Promise<Fetched> {
  const tally: Tally = { reason: null, pages: 0, rows: 0, bytes: 0, malformed: 0, foreign: 0, unserved: [] }
  const chunks = chunkByCountAndBytes(new Set(ids), CHUNK)
  const worker = async (): Promise<void> => {
    for (let next = chunks.next(); next.done !== true; next = chunks.next())
      await fetchChunk(next.value, context, tally)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  return tally
}

async function fetchChunk(
  ids: readonly string[],
  { request, sink }: Pick<DrainContext, 'request' | 'sink'>,
  tally: Tally,
): Promise<void> {
  const rest = new Set(ids)
  while (rest.size > 0 && tally.reason === null) {
    const { rows, end, bytes } = await request({ ids: [...rest], limit: rest.size })
    tally.pages += 1
    tally.bytes += bytes
    const before = rest.size
    await sink(takeAsked(rows, rest, tally))
    if (end.type !== 'eose') tally.reason ??= `${describeEnd(end)} on a page of ids`
    else if (rest.size === before) break
  }
  tally.unserved.push(...rest)
}

/**
 * Takes the requested events. A second copy may be the genuine one, so every copy is taken (rule 4). An id that was
 * served counts as answered even if the row is not an event: the relay has nothing else under that id.
 */
function takeAsked(rows: readonly unknown[], rest: Set<string>, tally: Tally): NostrEvent[] {
  const events: NostrEvent[] = []
  for (const row of rows) {
    const event = parseEvent(row)
    if (event === undefined) tally.malformed += 1
    else if (rest.has(event.id)) events.push(event)
    else tally.foreign += 1
  }
  for (const row of rows) rest.delete(parseStamp(row)?.id ?? '')
  tally.rows += events.length
  return events
}
