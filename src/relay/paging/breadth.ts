/*
 * Whether one relay answers broad questions, as far as this run has seen.
 *
 * Some relays answer a filter with fewer than two of ids, authors, kinds and tags by an empty EOSE (nostr-rs-relay with
 * `limit_scrapers`): it looks as if they had nothing. What they show to a narrow question gives them away. Kept are a
 * sample of the rows that came, and which broad questions were read to the end; `prove-breadth.ts` asks.
 */
import type { NostrEvent } from '../../nostr/event.ts'
import { tagConditions, type Filter } from '../../nostr/filter.ts'
import type { UnixSeconds } from '../../time.ts'

/** What the one condition of a broad filter is. */
export type Shape = 'kinds' | `#${string}`

/**
 * `needs-kinds`: it answers when kinds are named as well. `silent`: nothing that is asked like this is ever answered.
 */
export type Verdict = 'unknown' | 'answers' | 'needs-kinds' | 'silent'

/**
 * A row as far as it can be asked for again. `keys`: the broad questions that it answers; `question`: what brought it.
 */
export type ShownRow = {
  readonly id: string
  readonly kind: number
  readonly createdAt: UnixSeconds
  readonly keys: readonly string[]
  readonly question: Filter
}

/** A row that came, although a broad question (`key`) that was read to its end should have brought it before. */
export type Doubt = { readonly key: string; readonly row: ShownRow }

/** Why what was asked of such a relay is not drained. */
export const NARROW_ONLY = 'it answers narrow questions only'
/** The same of one that shows nothing at all, where its software is known for it. */
export const MAYBE_NARROW = 'it shows no event at all, and its software may be set to answer narrow questions only'

const MAX_SEEN = 50_000
/** Enough of an id to tell it from 50,000 others. */
const MARK_LENGTH = 16
const MAX_DRAINED = 20_000
const MAX_SHOWN = { ofKind: 6, inAll: 60 }
const MAX_DOUBTS = 8
const MAX_LOOKED_FOR = 3
const MAX_KEYS = 20
const MAX_KEY_LENGTH = 200
const ASKED_TAGS: ReadonlySet<string> = new Set(['a', 'A', 'e', 'E', 'q', 'd'])

type Bounds = { readonly since: UnixSeconds; readonly until: UnixSeconds }

/** What a relay has shown of how it answers, bounded (rule 9). */
export class Breadth {
  readonly #verdicts = new Map<Shape, Verdict>()
  readonly #asked = new Set<Shape>()
  readonly #drained = new Map<string, Bounds>()
  readonly #seen = new Set<string>()
  readonly #shown: ShownRow[] = []
  readonly #doubts: Doubt[] = []
  #doubted = 0
  #lookedFor = 0
  /** Whether a narrow question brought what a broad one has left out, of a sort that it does answer. */
  leavesOut = false

  /** What was not tried itself is as what was tried in its place: a tag as kinds alone, or as identifiers alone. */
  verdict(shape: Shape): Verdict {
    const isNarrow = this.#verdicts.get('kinds') === 'silent' || this.#verdicts.get('#d') === 'needs-kinds'
    return this.#verdicts.get(shape) ?? (isNarrow && shape !== 'kinds' ? 'needs-kinds' : 'unknown')
  }

  /** Whether tags are to be asked for together with kinds. */
  get needsKinds(): boolean {
    return this.tags().some((tag) => this.verdict(tag) === 'needs-kinds' || this.verdict(tag) === 'silent')
  }

  /** The tags by which it was asked. */
  tags(): Shape[] {
    return [...this.#asked].filter((shape) => shape !== 'kinds')
  }

  /** Whether any row came at all. */
  get hasShown(): boolean {
    return this.#shown.length > 0
  }

  /** Whether it holds what no broad question brings. */
  get hides(): boolean {
    return this.leavesOut || [...this.#verdicts.values()].includes('silent')
  }

  /** The sorts of broad questions that were asked and have brought nothing so far. */
  unproven(): Shape[] {
    return [...this.#asked].filter((shape) => this.verdict(shape) === 'unknown')
  }

  /** Whether it takes more rows to tell how it answers. */
  get lacksRows(): boolean {
    const isOpen = (shape: Shape): boolean => ['unknown', 'needs-kinds'].includes(this.verdict(shape))
    const wanted = (['kinds', '#a'] as const).filter((shape) => this.#asked.has(shape) && isOpen(shape))
    return wanted.some((shape) => this.#answerFor(shape) === undefined)
  }

  /** Whether it may be asked for what is known from elsewhere; true only a few times. */
  mayBeAsked(): boolean {
    this.#lookedFor += 1
    return this.#lookedFor <= MAX_LOOKED_FOR
  }

  /** Takes rows that match the question they came for. */
  show(question: Filter, events: readonly NostrEvent[]): void {
    const shape = shapeOf(question)
    if (shape !== undefined && events.length > 0) this.#verdicts.set(shape, 'answers')
    for (const event of events) {
      const mark = event.id.slice(0, MARK_LENGTH)
      if (this.#seen.has(mark) || this.#seen.size >= MAX_SEEN) continue
      this.#seen.add(mark)
      const row = { id: event.id, kind: event.kind, createdAt: event.created_at, keys: keysOf(event), question }
      this.#keep(row)
      for (const key of row.keys) if (this.#wasDrained(key, row)) this.#doubt({ key, row })
    }
  }

  /** Notes that a filter was read to its end. */
  drained(filter: Filter, rows: number): void {
    const shape = shapeOf(filter)
    if (shape === undefined) return
    this.#asked.add(shape)
    const { since = 0, until = Infinity } = filter
    for (const key of keysOfFilter(filter)) {
      if (this.#drained.size >= MAX_DRAINED) return
      this.#drained.set(key, { since, until })
      if (rows > 0) continue
      for (const row of this.#shown) if (row.keys.includes(key) && this.#wasDrained(key, row)) this.#doubt({ key, row })
    }
  }

  /**
   * The relay took back that the filter was read to its end: that is bad enough, and no sign of how it answers such
   * questions.
   */
  takeBack(filter: Filter): void {
    const shape = shapeOf(filter)
    if (shape !== undefined) this.#asked.delete(shape)
    const keys = new Set(keysOfFilter(filter))
    for (const key of keys) this.#drained.delete(key)
    const doubts = this.#doubts.splice(0)
    this.#doubts.push(...doubts.filter(({ key }) => !keys.has(key)))
  }

  /** What speaks against the answers so far; each is named once. */
  takeDoubts(): Doubt[] {
    return this.#doubts.splice(0)
  }

  /** A row by which a sort of question can be tried: what was asked for has the most to say. */
  rowFor(shape: Shape): ShownRow | undefined {
    return this.#answerFor(shape) ?? this.#shown.find(({ keys }) => keys.some((key) => isOfShape(key, shape)))
  }

  /** The relay answers this sort of question. */
  believe(shape: Shape): void {
    this.#verdicts.set(shape, 'answers')
  }

  /** The relay has left out a row that this sort of question had to bring. */
  disbelieve(shape: Shape): void {
    if (this.verdict(shape) === 'answers') this.leavesOut = true
    else this.#verdicts.set(shape, shape === 'kinds' ? 'silent' : 'needs-kinds')
  }

  /** Naming kinds beside this tag does not help. */
  giveUp(tag: Shape): void {
    this.#verdicts.set(tag, 'silent')
  }

  /** Why the filter is not drained although the relay says so; null when nothing speaks against it. */
  objection(filter: Filter, rows: number): string | null {
    const [tag] = tagConditions(filter)
    if (rows > 0 || filter.authors !== undefined) return null
    const shape = tag === undefined ? 'kinds' : (`#${tag[0]}` as const)
    return this.#isSilent(shape) ? NARROW_ONLY : null
  }

  /** A tag that could not be tried is as another one. */
  #isSilent(shape: Shape): boolean {
    const isUntried = shape !== 'kinds' && !this.#verdicts.has(shape)
    const others = isUntried ? this.tags() : []
    return [shape, ...others].some((each) => this.verdict(each) === 'silent')
  }

  /** A row that answers what was asked like this. Of a tag any will do: values are all alike. */
  #answerFor(shape: Shape): ShownRow | undefined {
    const isAnswer = (key: string): boolean => isOfShape(key, shape) && (shape !== 'kinds' || this.#drained.has(key))
    return this.#shown.find(({ keys }) => keys.some(isAnswer))
  }

  #keep(row: ShownRow): void {
    const ofKind = this.#shown.filter(({ kind }) => kind === row.kind).length
    if (ofKind < MAX_SHOWN.ofKind && this.#shown.length < MAX_SHOWN.inAll) this.#shown.push(row)
  }

  #wasDrained(key: string, { createdAt }: ShownRow): boolean {
    const bounds = this.#drained.get(key)
    return bounds !== undefined && createdAt >= bounds.since && createdAt <= bounds.until
  }

  #doubt(doubt: Doubt): void {
    if (this.#doubted >= MAX_DOUBTS) return
    this.#doubted += 1
    this.#doubts.push(doubt)
  }
}

/** What a filter asks by when it has one condition; `undefined` when it has none, two or more, or asks for ids. */
function shapeOf(filter: Filter): Shape | undefined {
  const tags = tagConditions(filter).length
  const name = tagConditions(filter)[0]?.[0]
  if (filter.ids !== undefined || filter.authors !== undefined) return undefined
  if (filter.kinds !== undefined) return tags === 0 ? 'kinds' : undefined
  return tags === 1 && name !== undefined ? `#${name}` : undefined
}

/** The broad question with this key. */
export function questionOf(key: string): Filter {
  const middle = key.indexOf('=')
  const [name, value] = [key.slice(0, middle), key.slice(middle + 1)]
  return name === 'kinds' ? { kinds: [Number(value)] } : { [name]: [value] }
}

/** Whether the key stands for a question of this sort. */
export function isOfShape(key: string, shape: Shape): boolean {
  return key.startsWith(`${shape}=`)
}

function keysOf({ kind, tags }: NostrEvent): string[] {
  const named = tags.flatMap(([name = '', value = '']) =>
    ASKED_TAGS.has(name) && value !== '' && value.length <= MAX_KEY_LENGTH ? [`#${name}=${value}`] : [],
  )
  return [`kinds=${kind}`, ...new Set(named.slice(0, MAX_KEYS))]
}

function keysOfFilter(filter: Filter): string[] {
  const tags = tagConditions(filter).flatMap(([name, values]) => values.map((value) => `#${name}=${value}`))
  return [...(filter.kinds ?? []).map((kind) => `kinds=${kind}`), ...tags]
}
