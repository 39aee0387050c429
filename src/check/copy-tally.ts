import type { CopiesReport, LackingEnd, RepositoryCopies } from '../report/copies-report.ts'
import type { CopyGroup } from '../store/copy-table.ts'

/** An end, with its number in groups; `reason`: why it may have more. */
export type CountedEnd = {
  readonly url: string
  readonly isTarget: boolean
  readonly number: number
  readonly reason: string | null
}

type Scarce = Omit<RepositoryCopies, 'name'>
/** A repository while it is counted; `lackedBy`: events, by the place of the end. */
type Row = { -readonly [Name in keyof Omit<Scarce, 'lacking'>]: Scarce[Name] } & { readonly lackedBy: number[] }

/** Strangers may name as many repositories as they like. */
const MAX_LISTED = 10_000

/** Sums up groups of events, which come one repository after the other. Keeps those in which something is scarce. */
export class CopyTally {
  readonly #wanted: number
  readonly #ends: readonly CountedEnd[]
  readonly #unread: readonly CountedEnd[]
  readonly #events: number[]
  readonly #lacked: number[]
  readonly #bins: number[]
  readonly #scarce: Row[] = []
  #row: Row | undefined
  #all = 0
  #withoutRepository = 0
  #below = 0
  #undecided = 0
  #dropped = 0

  constructor(wanted: number, ends: readonly CountedEnd[]) {
    this.#wanted = wanted
    this.#ends = ends
    this.#unread = ends.filter(({ reason }) => reason !== null)
    this.#events = ends.map(() => 0)
    this.#lacked = ends.map(() => 0)
    this.#bins = ends.map(() => 0)
  }

  /** Adds the events of one repository that are at the same ends. */
  add({ repository, at, events, example }: CopyGroup): void {
    const isAt = ({ number }: CountedEnd): boolean => at.includes(number)
    const least = this.#ends.filter(isAt).length
    const most = least + this.#unread.filter((end) => !isAt(end)).length
    this.#all += events
    if (repository === null) this.#withoutRepository += events
    this.#bins[least - 1] = (this.#bins[least - 1] ?? 0) + events
    this.#ends.forEach((end, index) => {
      if (isAt(end)) this.#events[index] = (this.#events[index] ?? 0) + events
    })
    const row = this.#rowOf(repository)
    row.events += events
    row.fewest = Math.min(row.fewest, least)
    if (least >= this.#wanted) return
    const isBelow = most < this.#wanted
    if (isBelow) this.#below += events
    else this.#undecided += events
    row.below += isBelow ? events : 0
    row.undecided += isBelow ? 0 : events
    if (row.example === '' || example < row.example) row.example = example
    this.#ends.forEach((end, index) => {
      if (end.reason !== null || isAt(end)) return
      row.lackedBy[index] = (row.lackedBy[index] ?? 0) + events
      this.#lacked[index] = (this.#lacked[index] ?? 0) + events
    })
  }

  /** What was added, the repositories with the most scarce events first. */
  summarize(): Omit<CopiesReport, 'repositories' | 'list' | 'service'> & { readonly repositories: readonly Scarce[] } {
    this.#finish(undefined)
    this.#cut()
    return {
      wanted: this.#wanted,
      ends: this.#ends.map(({ url, isTarget, reason }, index) => {
        return { url, isTarget, events: this.#events[index] ?? 0, lacks: this.#lacked[index] ?? 0, reason }
      }),
      events: this.#all,
      withoutRepository: this.#withoutRepository,
      below: this.#below,
      undecided: this.#undecided,
      histogram: this.#bins.map((events, index) => ({ copies: index + 1, events })),
      repositories: this.#scarce.map(({ lackedBy, ...row }) => ({ ...row, lacking: this.#lacking(lackedBy) })),
      repositoriesLeftOut: this.#dropped,
    }
  }

  /** The row of a repository: the last one, or a new one after it. */
  #rowOf(repository: string | null): Row {
    if (this.#row?.repository === repository) return this.#row
    const fewest = this.#ends.length
    return this.#finish({
      ...{ repository, events: 0, fewest, below: 0, undecided: 0, example: '' },
      lackedBy: this.#ends.map(() => 0),
    })
  }

  /** Keeps the last row if something in it is scarce, and goes on with the next. */
  #finish<Next extends Row | undefined>(next: Next): Next {
    if (this.#row !== undefined && this.#row.below + this.#row.undecided > 0) this.#scarce.push(this.#row)
    if (this.#scarce.length >= 2 * MAX_LISTED) this.#cut()
    this.#row = next
    return next
  }

  /** Forgets all but the worst. */
  #cut(): void {
    this.#scarce.sort((a, b) => b.below + b.undecided - (a.below + a.undecided))
    this.#dropped += this.#scarce.splice(MAX_LISTED).length
  }

  #lacking(counts: readonly number[]): LackingEnd[] {
    const lacking = this.#ends.map(({ url }, index) => ({ url, events: counts[index] ?? 0 }))
    return lacking.filter(({ events }) => events > 0).sort((a, b) => b.events - a.events)
  }
}
