/** A report as one page: plain texts, safe to print and not yet escaped for HTML or Markdown. */
export type Page = {
  readonly title: string
  readonly tone: Tone
  /** The verdict's word and code, and its sentence. */
  readonly verdict: { readonly word: string; readonly sentence: string }
  readonly facts: readonly (readonly [label: string, text: string])[]
  /** When the missing events were signed; null if there is nothing to show. */
  readonly times: {
    readonly sentence: string | null
    readonly bins: readonly PageBin[]
    readonly caption: string
  } | null
  /** Of a merged report; otherwise null. */
  readonly shards: PageShards | null
  /** Null if nothing is known of them. */
  readonly repositories: {
    readonly columns: readonly string[]
    readonly rows: readonly PageRepository[]
    /** How many are not shown. */
    readonly more: number
  } | null
  /** Repositories whose git data is not as signed; null if that was not looked at. */
  readonly git: PageGit | null
  readonly sources: readonly PageSource[]
  readonly waits: readonly PageWait[]
  readonly notes: readonly string[]
  readonly commands: readonly { readonly does: string; readonly line: string }[]
  /** What the commands leave out; null if nothing. */
  readonly commandsLack: string | null
  readonly words: readonly (readonly [word: string, meaning: string])[]
  readonly footer: string
}

/** All is well, something is open, or the run failed. */
export type Tone = 'good' | 'warn' | 'bad'

/** One bar. `isOutlier`: a wider bin that holds what was signed long before or after. */
export type PageBin = { readonly label: string; readonly count: number; readonly isOutlier: boolean }

/** A sentence, and a row for shards that ended alike: how, and their numbers. */
export type PageShards = {
  readonly sentence: string
  readonly rows: readonly { readonly end: string; readonly numbers: string; readonly toDo: string }[]
}

/** One row: how it is called, its `npub1…/identifier`, and one count for each column. */
export type PageRepository = { readonly name: string; readonly label: string; readonly counts: readonly number[] }

/** What git servers serve: a sentence, and a row for each repository that is not as signed. */
export type PageGit = {
  readonly sentence: string
  readonly rows: readonly PageGitRow[]
  /** How many are not shown. */
  readonly more: number
}

/** One repository: what is at the target, who has all of it, what to do; `command`: for the operator, or null. */
export type PageGitRow = Pick<PageRepository, 'name' | 'label'> & {
  readonly found: string
  readonly dataAt: string
  readonly toDo: string
  readonly command: string | null
}

/** One source, and how far each layer was read. */
export type PageSource = {
  readonly url: string
  readonly isComplete: boolean
  readonly state: string
  readonly layers: readonly {
    readonly layer: string
    readonly read: string
    readonly events: number
    readonly end: string
  }[]
}

/** What waits or went wrong, why, and the next step (null: nothing to do). */
export type PageWait = {
  readonly title: string
  readonly reasons: readonly string[]
  readonly step: string | null
}
