/*
 * Whether one relay answers broad questions, as seen in this run.
 *
 * Some relays answer a filter with fewer than two of ids, authors, kinds and tags by an empty EOSE (nostr-rs-relay with
 * `limit_scrapers`), as if they had nothing. Their answers to narrow questions prove otherwise. This module keeps a
 * sample of the rows received and the broad questions that were drained; `prove-breadth.ts` asks.
 */
import type { NostrEvent } from '../../nostr/event.ts'
import { tagConditions, type Filter } from '../../nostr/filter.ts'
import type { UnixSeconds } from '../../time.ts'

/** The single condition of a broad filter. */
export type Shape = 'kinds' | `#${string}`

/**
 * `needs-kinds`: the relay answers only if kinds are named as well. `silent`: it never answers questions of this shape.
 */
export type Verdict = 'unknown' | 'answers' | 'needs-kinds' | 'silent'

/**
 * What is needed to ask for a row again. `keys`: the broad questions that it answers; `question`: the filter that
 * brought it.
 */
export type ShownRow = {
  readonly id: string
  readonly kind: number
  readonly createdAt: UnixSeconds
  readonly keys: readonly string[]
  readonly question: Filter
}

/** A row that a drained broad question (`key`) should have brought. */
export type Doubt = { readonly key: string; readonly row: ShownRow }

/** Why a filter is not drained at such a relay. */
export const NARROW_ONLY = 'it answers narrow questions only'
/** The same for a relay that shows nothing at all, if its software is known for it. */
export const MAYBE_NARROW = 'it shows no event at all, and its software may be set to answer narrow questions only'

const MAX_SEEN = 50_000
/** 52 bits of an id: a safe integer, and enough to tell it from 50,000 others. */
const MARK_DIGITS = 13
const MAX_DRAINED = 20_000
const MAX_SHOWN = { ofKind: 6, inAll: 60 }
const MAX_DOUBTS = 8
const MAX_LOOKED_FOR = 3
const MAX_KEYS = 20
const MAX_KEY_LENGTH = 200
const ASKED_TAGS: ReadonlySet<string> = new Set(['a', 'A', 'e', 'E', 'q', 'd'])

type Bounds = { readonly since: UnixSeconds; readonly until: UnixSeconds }

/** What a relay has shown about how it answers, bounded (rule 9). */
export class Breadth {
  readonly #verdicts = new Map<Shape, Verdict>()
  readonly #asked = new Set<Shape>()
  readonly #drained = new Map<string, Bounds>()
  readonly #seen = new Set<number>()
  readonly #shown: ShownRow[] = []
  readonly #doubts: Doubt[] = []
  #doubted = 0
  #lookedFor = 0
  /** Whether a narrow question brought a row missing from a broad question of a shape that the relay does answer. */
  leavesOut = false

  /** The verdict on a shape. An untried tag inherits from kinds alone or identifiers alone. */
  verdict(shape: Shape): Verdict {
    const isNarrow = this.#verdicts.get('kinds') === 'silent' || this.#verdicts.get('#d') === 'needs-kinds'
    return this.#verdicts.get(shape) ?? (isNarrow && shape !== 'kinds' ? 'needs-kinds' : 'unknown')
  }

  /** Whether filters on tags must also name kinds. */
  get needsKinds(): boolean {
    return this.tags().some((tag) => this.verdict(tag) === 'needs-kinds' || this.verdict(tag) === 'silent')
  }

  /** The tags used in broad questions so far. */
  tags(): Shape[] {
    return [...this.#asked].filter((shape) => shape !== 'kinds')
  }

  /** Whether any row came at all. */
  get hasShown(): boolean {
    return this.#shown.length > 0
  }

  /** Whether the relay holds events that no broad question brings. */
  get hides(): boolean {
    return this.leavesOut || [...this.#verdicts.values()].includes('silent')
  }

  /** The shapes that were asked and have brought nothing so far. */
  unproven(): Shape[] {
    return [...this.#asked].filter((shape) => this.verdict(shape) === 'unknown')
  }

  /** Whether more rows are needed to tell how the relay answers. */
  get lacksRows(): boolean {
    const isOpen = (shape: Shape): boolean => ['unknown', 'needs-kinds'].includes(this.verdict(shape))
    const wanted = (['kinds', '#a'] as const).filter((shape) => this.#asked.has(shape) && isOpen(shape))
    return wanted.some((shape) => this.#answerFor(shape) === undefined)
  }

  /** Whether to ask the relay for events known from elsewhere; true only a few times. */
  mayBeAsked(): boolean {
    this.#lookedFor += 1
    return this.#lookedFor <= MAX_LOOKED_FOR
  }

  /** Takes rows that match the question that brought them. */
  show(question: Filter, events: readonly NostrEvent[]): void {
    const shape = shapeOf(question)
    if (shape !== undefined && events.length > 0) this.#verdicts.set(shape, 'answers')
    for (const event of events) {
      const mark = Number.parseInt(event.id.slice(0, MARK_DIGITS), 16)
      if (this.#seen.has(mark) || this.#seen.size >= MAX_SEEN) continue
      this.#seen.add(mark)
      const row = { id: event.id, kind: event.kind, createdAt: event.created_at, keys: keysOf(event), question }
      this.#keep(row)
      for (const key of row.keys) if (this.#wasDrained(key, row)) this.#doubt({ key, row })
    }
  }

  /** Notes that a filter was drained. */
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

  /** The relay took back that the filter was drained. That alone says nothing about how it answers such questions. */
  takeBack(filter: Filter): void {
    const shape = shapeOf(filter)
    if (shape !== undefined) this.#asked.delete(shape)
    const keys = new Set(keysOfFilter(filter))
    for (const key of keys) this.#drained.delete(key)
    const doubts = this.#doubts.splice(0)
    this.#doubts.push(...doubts.filter(({ key }) => !keys.has(key)))
  }

  /** Returns the doubts about answers so far, each only once. */
  takeDoubts(): Doubt[] {
    return this.#doubts.splice(0)
  }

  /** A row for testing a shape, preferably one that was asked for. */
  rowFor(shape: Shape): ShownRow | undefined {
    return this.#answerFor(shape) ?? this.#shown.find(({ keys }) => keys.some((key) => isOfShape(key, shape)))
  }

  /** The relay answers this shape. */
  believe(shape: Shape): void {
    this.#verdicts.set(shape, 'answers')
  }

  /** The relay left out a row that this shape had to bring. */
  disbelieve(shape: Shape): void {
    if (this.verdict(shape) === 'answers') this.leavesOut = true
    else this.#verdicts.set(shape, shape === 'kinds' ? 'silent' : 'needs-kinds')
  }

  /** Adding kinds to this tag does not help. */
  giveUp(tag: Shape): void {
    this.#verdicts.set(tag, 'silent')
  }

  /** Why the filter is not drained although the relay says so; null without an objection. */
  objection(filter: Filter, rows: number): string | null {
    const [tag] = tagConditions(filter)
    if (rows > 0 || filter.authors !== undefined) return null
    const shape = tag === undefined ? 'kinds' : (`#${tag[0]}` as const)
    return this.#isSilent(shape) ? NARROW_ONLY : null
  }

  /** An untried tag is judged by the others. */
  #isSilent(shape: Shape): boolean {
    const isUntried = shape !== 'kinds' && !this.#verdicts.has(shape)
    const others = isUntried ? this.tags() : []
    return [shape, ...others].some((each) => this.verdict(each) === 'silent')
  }

  /** A row that answers an asked question of this shape. For a tag any value will do. */
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

/** The shape of a filter with one condition; `undefined` for none, two or more, or for ids or authors. */
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
  const named: string[] = []
  for (const [name = '', value = ''] of tags) {
    if (!ASKED_TAGS.has(name) || value === '' || value.length > MAX_KEY_LENGTH) continue
    named.push(`#${name}=${value}`)
    if (named.length === MAX_KEYS) break
  }
  return [`kinds=${kind}`, ...new Set(named)]
}

function keysOfFilter(filter: Filter): string[] {
  const tags = tagConditions(filter).flatMap(([name, values]) => values.map((value) => `#${name}=${value}`))
  return [...(filter.kinds ?? []).map((kind) => `kinds=${kind}`), ...tags]
}
