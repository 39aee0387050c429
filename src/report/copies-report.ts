/** One end that was counted: the target, or a source that the operator named. */
export type CopiesEnd = {
  readonly url: string
  readonly isTarget: boolean
  /** How many of the counted events it was seen to have. */
  readonly events: number
  /** How many of the events with fewer copies than wanted it lacks; 0 if it was not read to its end: it may have them. */
  readonly lacks: number
  /** Why it was not read to its end, so that it may have more than that, unescaped (rule 7); null if it was. */
  readonly reason: string | null
}

/** Where some event of a repository is not: an end that was read to its end, and how many events it lacks. */
export type LackingEnd = { readonly url: string; readonly events: number }

/** One repository that has events with fewer copies than wanted, or that may have. */
export type RepositoryCopies = {
  /** An address `30617:…`; null for events that name no known one. */
  readonly repository: string | null
  /** The name in its announcement, unescaped (rule 7); null if it has none. */
  readonly name: string | null
  readonly events: number
  /** The smallest number of ends that one of its events was seen at. */
  readonly fewest: number
  /** Events with fewer copies than wanted. */
  readonly below: number
  /** Events that have fewer, unless an end that was not read to its end has them. */
  readonly undecided: number
  /** The ends that lack any of these events, the most first. */
  readonly lacking: readonly LackingEnd[]
  /** The id of one of these events. */
  readonly example: string
}

/** How many events were seen at exactly so many ends. */
export type CopiesBin = { readonly copies: number; readonly events: number }

/** An event with fewer copies than wanted, or that may have fewer. */
export type ScarceEvent = {
  readonly id: string
  readonly repository: string | null
  /** Where it was seen. */
  readonly at: readonly string[]
}

/** At how many git servers the git data of one repository is. */
export type GitCopiesOfRepository = {
  readonly repository: string
  readonly name: string | null
  /** How many servers show every ref of the newest signed state. */
  readonly copies: number
  /** How many servers could not be asked. */
  readonly unasked: number
  /** The servers that show all of it. */
  readonly at: readonly string[]
}

/** At how many git servers the git data of each repository is; those without a signed state are not counted. */
export type GitCopies = {
  readonly wanted: number
  readonly repositories: number
  /** Fewer copies than wanted, whatever the servers say that could not be asked. */
  readonly below: number
  /** Fewer, unless a server that could not be asked has it. */
  readonly undecided: number
  /** By the number of servers that show all of it, from none upwards, without gaps. */
  readonly histogram: readonly { readonly copies: number; readonly repositories: number }[]
  /** Those with too few, or perhaps too few, the fewest first; at most 10,000. */
  readonly list: readonly GitCopiesOfRepository[]
  readonly leftOut: number
}

/** What `check --copies` counted. Of each address only the newest version counts; what was taken back does not. */
export type CopiesReport = {
  /** How many copies were wanted. */
  readonly wanted: number
  /** The host that the repositories in scope name, if the scope is `listed`; otherwise null. */
  readonly service: string | null
  /** The target first. */
  readonly ends: readonly CopiesEnd[]
  /** Events in scope that any end was seen to have. */
  readonly events: number
  /** How many of these name no known repository: they may be in all shards of a whole. */
  readonly withoutRepository: number
  /** How many have fewer copies than wanted, whatever an end has that was not read to its end. */
  readonly below: number
  /** How many have fewer, unless an end that was not read to its end has them. */
  readonly undecided: number
  /** From one copy upwards, without gaps. */
  readonly histogram: readonly CopiesBin[]
  /** Those with the most events below first; at most 10,000. */
  readonly repositories: readonly RepositoryCopies[]
  readonly repositoriesLeftOut: number
  /** With `--ids`; otherwise null. It lies on disk: there may be millions. */
  readonly list: Iterable<ScarceEvent> | null
}
