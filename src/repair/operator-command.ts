import type { ObjectId, Refs } from '../git/git-access.ts'
import { parseAddress } from '../nostr/address.ts'
import { encodePublicKey } from '../nostr/nip19.ts'
import type { Comparison } from './compare-refs.ts'
import { quoteShell } from './quote-shell.ts'
import type { WantedRefs } from './wanted-refs.ts'

/** A server and the object ids that it is known to have. */
export type Holder = { readonly url: string; readonly ids: ReadonlySet<ObjectId> }

/** What an operator's command is made of. */
export type CommandInput = {
  readonly wanted: WantedRefs
  readonly comparison: Comparison
  readonly holders: readonly Holder[]
  /** Objects are missing behind refs that are right: everything is fetched again. */
  readonly isBroken: boolean
}

/** Where ngit-grasp keeps its repositories, by the setting of its operator; fails when that is not set. */
const GIT_DATA = '"${NGIT_GIT_DATA_PATH:?}"'
const SAFE = '-c transfer.fsckObjects=true -c http.followRedirects=false'
/** A command that nobody can paste helps nobody: the rest comes with the next one. */
const MAX_REFS = 40
const MAX_LENGTH = 8_000
/** What would lead to another directory. */
const UNSAFE_IDENTIFIER = /[/\0]|^\.{0,2}$/

/**
 * Returns the commands that make the refs of a repository in the data directory of ngit-grasp those of its state;
 * undefined if there are none. Each text of a stranger is one quoted word.
 */
export function operatorCommand(repository: string, input: CommandInput): string | undefined {
  const address = parseAddress(repository)
  if (address === undefined || UNSAFE_IDENTIFIER.test(address.d)) return undefined
  const { wanted, comparison, holders, isBroken } = input
  const directory = GIT_DATA + quoteShell(`/${encodePublicKey(address.pubkey)}/${address.d}.git`)
  const git = `git -C ${directory}`
  const isAbsent = comparison.verdict === 'no repository'
  const expected = new Map([...(wanted.refs ?? []), ...wanted.tips])
  const needed = isBroken || isAbsent ? [...expected.keys()] : [...comparison.missing, ...comparison.behind]
  const fetch = `${git} ${SAFE} fetch --no-tags${isBroken ? ' --refetch' : ''}`
  const fetches = planFetches(takeSome(needed), expected, holders).map(([url, refs]) => {
    const specs = refs.map((ref) => quoteShell(`+${expected.get(ref) ?? ''}:${ref}`))
    return `${fetch} -- ${quoteShell(url)} ${specs.join(' ')}`
  })
  const removals = takeSome(comparison.extra).map((ref) => `${git} update-ref -d ${quoteShell(ref)}`)
  const isHeadWanted = wanted.head !== null && (comparison.isHeadOther || isAbsent)
  const head = isHeadWanted ? [`${git} symbolic-ref HEAD ${quoteShell(wanted.head)}`] : []
  const commands = [...(isAbsent ? [`git init --bare ${directory}`] : []), ...fetches, ...removals, ...head]
  return commands.length === 0 ? undefined : commands.join(' && ')
}

function takeSome(refs: readonly string[]): readonly string[] {
  let length = 0
  return refs.slice(0, MAX_REFS).filter((ref) => (length += quoteShell(ref).length + 64) <= MAX_LENGTH)
}

/** Takes as much as possible from the first server that has something, and the rest from the next. */
function planFetches(
  needed: readonly string[],
  expected: Refs,
  holders: readonly Holder[],
): (readonly [url: string, refs: readonly string[]])[] {
  const left = new Set(needed)
  const plan: (readonly [string, readonly string[]])[] = []
  for (const { url, ids } of holders) {
    const refs = [...left].filter((ref) => ids.has(expected.get(ref) ?? ''))
    for (const ref of refs) left.delete(ref)
    if (refs.length > 0) plan.push([url, refs])
  }
  return plan
}
