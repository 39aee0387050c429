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
  /** Whether the target is ngit-relay; else it is ngit-grasp. */
  readonly isNgitRelay: boolean
}

/** How software keeps its repositories. */
type Layout = {
  /** Where they lie, for a shell. */
  readonly root: string
  /** Git in the repository of this directory. */
  readonly git: (directory: string) => string
  /** What is done first; `isNew`: the repository has to be made. */
  readonly begin: (directory: string, isNew: boolean) => readonly string[]
  /** What is done at last. */
  readonly finish: readonly string[]
}

const NGIT_GRASP: Layout = {
  // By the setting of its operator; fails when that is not set.
  root: '"${NGIT_GIT_DATA_PATH:?}"',
  git: (directory) => `git -C ${directory}`,
  begin: (directory, isNew) => (isNew ? [`git init --bare ${directory}`] : []),
  finish: [],
}

/**
 * As its image has it: root fetches, nginx serves and takes pushes, and hooks decide over these. Git refuses to work for
 * root in what is nginx's, unless told that it is safe.
 */
const NGIT_RELAY: Layout = {
  root: '/srv/ngit-relay/repos',
  git: () => "git -c safe.directory='*'",
  begin: (directory, isNew) => [
    ...(isNew ? [`git init --bare ${directory}`] : []),
    `cd ${directory}`,
    ...(isNew ? COMPLETION : []),
  ],
  finish: ['chown -R nginx:nginx .'],
}
/** What ngit-relay itself does in a repository that it makes. */
const COMPLETION: readonly string[] = [
  'git config http.receivepack true',
  'git config uploadpack.allowTipSHA1InWant true',
  ...['pre-receive', 'post-receive'].map((hook) => `ln -sf /usr/local/bin/ngit-relay-${hook} hooks/${hook}`),
]
const SAFE = '-c transfer.fsckObjects=true -c http.followRedirects=false'
/** A command that nobody can paste helps nobody: the rest comes with the next one. */
const MAX_REFS = 40
const MAX_LENGTH = 8_000
/** What would lead to another directory. */
const UNSAFE_IDENTIFIER = /[/\0]|^\.{0,2}$/

/**
 * Returns the commands that make the refs of a repository in the data directory of the target those of its state;
 * undefined if there are none. Each text of a stranger is one quoted word.
 */
export function operatorCommand(repository: string, input: CommandInput): string | undefined {
  const address = parseAddress(repository)
  if (address === undefined || UNSAFE_IDENTIFIER.test(address.d)) return undefined
  const { root, git, begin, finish } = input.isNgitRelay ? NGIT_RELAY : NGIT_GRASP
  const directory = root + quoteShell(`/${encodePublicKey(address.pubkey)}/${address.d}.git`)
  const isNew = input.comparison.verdict === 'no repository'
  const changes = planChanges(git(directory), input)
  if (changes.length === 0 && !isNew) return undefined
  return [...begin(directory, isNew), ...changes, ...finish].join(' && ')
}

/** What is done in a repository that is there. */
function planChanges(git: string, { wanted, comparison, holders, isBroken }: CommandInput): string[] {
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
  return [...fetches, ...removals, ...head]
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
