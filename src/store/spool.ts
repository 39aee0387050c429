import type { NostrEvent } from '../nostr/event.ts'
import type { Outcome } from '../report/report.ts'
import type { LayerName } from '../layer-name.ts'
import type { SpoolStatements, Step } from './spool-statements.ts'
import {
  fromHeadRow,
  fromRow,
  toBlob,
  type HeadRow,
  type SpooledEvent,
  type NumberedHead,
  type SpooledHead,
  type SpoolRow,
  type SpoolState,
} from './spooled-event.ts'
import type { Db } from './state-file.ts'

/** Events with one outcome for one reason. */
export type SpoolGroup = {
  readonly outcome: Outcome
  readonly reason: string
  readonly count: number
  /** The id of one of them. */
  readonly example: string
  /** One of their missing parents, and the number of different ones. */
  readonly obstacle: string | null
  readonly obstacles: number
}

const PIECE_BYTES = 1024 * 1024
/** No event stands before it. */
const FIRST: Step = { stage: -1, level: 0 }

/** Events in publishing order, and the step of each. */
type Piece<T> = { readonly events: T[]; readonly steps: readonly Step[] }

/** Reads the piece that follows a row. */
type ReadPiece<T> = (after: Record<string, unknown>) => Piece<T>

type SpoolOptions = { readonly maxBytes: number; readonly statements: SpoolStatements }

/** The spool: events between select and publish, and parked ones between runs, keyed by (target, id). */
export class Spool {
  readonly #db: Db
  readonly #target: string
  readonly #maxBytes: number
  readonly #statements: SpoolStatements

  constructor(db: Db, target: string, { maxBytes, statements }: SpoolOptions) {
    this.#db = db
    this.#target = target
    this.#maxBytes = maxBytes
    this.#statements = statements
  }

  /** Whether the spool has no room left. No checkpoint may cover events that were not spooled. */
  isFull(): boolean {
    const [pages = 0] = this.#statements.pages.get() ?? []
    const [freePages = 0] = this.#statements.freePages.get() ?? []
    return (pages - freePages) * this.#statements.pageBytes > this.#maxBytes
  }

  /** The spooled event with this id, in any state. */
  find(id: string): SpooledEvent | undefined {
    const row = this.#statements.find.get(this.#target, toBlob(id))
    return row === undefined ? undefined : fromRow(row)
  }

  /** Whether there is an event with this id in a state. */
  isIn(state: SpoolState, id: string): boolean {
    return this.#statements.isIn.get(this.#target, toBlob(id), state) !== undefined
  }

  /** The spooled version at an address, in any state. */
  findVersion(address: string): SpooledEvent | undefined {
    return this.versions(address)[0]
  }

  /** The versions at an address, in any state. */
  versions(address: string): SpooledEvent[] {
    return this.#statements.versions.all(this.#target, address).map(fromRow)
  }

  /** The settled, remembered versions at an address; selection checks whether they still count. */
  rememberedVersions(address: string): SpooledEvent[] {
    return this.versions(address).filter(isRemembered)
  }

  /**
   * Yields the events in a state in publishing order, in pieces of at most `size`, fewer if they are large. The caller
   * may change or remove them. Each piece continues by index after the previous one, so all pieces together cost one
   * pass.
   */
  *inState(state: SpoolState, size: number): Generator<SpooledEvent[]> {
    const read: ReadPiece<SpooledEvent> = (after) => takeWhole(this.#statements.page.iterate({ state, size, ...after }))
    for (const { events } of this.#piecesFrom(read, FIRST)) yield events
  }

  /** The same without the texts, which take most of the memory and of the time. */
  *headsInState(state: SpoolState, size: number): Generator<NumberedHead[]> {
    const read: ReadPiece<NumberedHead> = (after) =>
      takeHeads(this.#statements.headPage.iterate({ state, size, ...after }))
    for (const { events } of this.#piecesFrom(read, FIRST)) yield events
  }

  /** The lowest stage and level of a ready event; `undefined` when none is ready. */
  firstStep(): Step | undefined {
    return this.#statements.firstStep.get(this.#target)
  }

  /** The whole events of rows that were read without their texts. */
  eventsOf(heads: readonly NumberedHead[]): NostrEvent[] {
    if (heads.length === 0) return []
    const texts = this.#statements.texts.all(JSON.stringify(heads.map(({ number }) => number)))
    return texts.map(([json]) => JSON.parse(json) as NostrEvent)
  }

  /** Yields the ready events of one step, oldest first, in pieces as `inState`. */
  *inStep(step: Step, size: number): Generator<SpooledEvent[]> {
    const read: ReadPiece<SpooledEvent> = (after) =>
      takeWhole(this.#statements.page.iterate({ state: 'ready', size, ...after }))
    for (const { events, steps } of this.#piecesFrom(read, step)) {
      const end = steps.findIndex(({ stage, level }) => stage !== step.stage || level !== step.level)
      if (end !== 0) yield end === -1 ? events : events.slice(0, end)
      if (end !== -1) return
    }
  }

  *#piecesFrom<T extends SpooledHead>(read: ReadPiece<T>, step: Step): Generator<Piece<T>> {
    let after = { ...step, createdAt: 0, id: toBlob('') }
    for (;;) {
      const piece = read({ target: this.#target, ...after })
      const [last, lastStep] = [piece.events.at(-1), piece.steps.at(-1)]
      if (last === undefined || lastStep === undefined) return
      after = { ...lastStep, createdAt: last.event.created_at, id: toBlob(last.event.id) }
      yield piece
    }
  }

  /** The number of events in a state. */
  count(state: SpoolState): number {
    const sql = 'SELECT count(*) AS n FROM spool WHERE target = ? AND state = ?'
    return (this.#db.prepare(sql).get(this.#target, state) as { n: number }).n
  }

  /**
   * Events in a state grouped by outcome and reason, largest group first; `refused` and `held` ones only if settled at
   * `since` or later.
   */
  groups(state: SpoolState, since = 0): SpoolGroup[] {
    const rows = this.#db
      .prepare(
        `SELECT outcome, reason, count(*) AS count, lower(hex(min(id))) AS example, min(obstacle) AS obstacle,
           count(DISTINCT obstacle) AS obstacles FROM spool
         WHERE target = ? AND state = ? AND coalesce(settled_at, ?) >= ? GROUP BY outcome, reason ORDER BY count(*) DESC, outcome, reason`,
      )
      .all(this.#target, state, since, since)
    return rows as SpoolGroup[]
  }

  /** The number of parked events of each layer, by outcome. */
  countParked(): { layer: LayerName; outcome: Outcome; count: number }[] {
    const rows = this.#db
      .prepare(
        `SELECT layer, outcome, count(*) AS count FROM spool WHERE target = ? AND state = 'parked' GROUP BY layer, outcome`,
      )
      .all(this.#target)
    return rows as { layer: LayerName; outcome: Outcome; count: number }[]
  }
}

type AnyRow = readonly [string, stage: number, level: number, ...unknown[]]

function takeWhole(rows: Iterable<SpoolRow>): Piece<SpooledEvent> {
  return takeBytes(rows, fromRow, ([{ length }]) => length)
}

function takeHeads(rows: Iterable<HeadRow>): Piece<NumberedHead> {
  return takeBytes(rows, fromHeadRow, (row) => (row[6]?.length ?? 0) + (row[16]?.length ?? 0) + (row[21]?.length ?? 0))
}

/** The first rows, up to PIECE_BYTES but at least one. Strangers choose how large events and addresses are. */
function takeBytes<R extends AnyRow, T>(
  rows: Iterable<R>,
  parse: (row: R) => T,
  bytesOf: (row: R) => number,
): Piece<T> {
  const piece = { events: [] as T[], steps: [] as Step[] }
  let bytes = 0
  for (const row of rows) {
    const [, stage, level] = row
    piece.events.push(parse(row))
    piece.steps.push({ stage, level })
    bytes += bytesOf(row)
    if (bytes >= PIECE_BYTES) break
  }
  return piece
}

/** Whether an event is settled and its row is kept. */
export function isRemembered({ state }: SpooledEvent): boolean {
  return state === 'refused' || state === 'held'
}
