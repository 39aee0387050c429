/*
 * Finds relays that answer narrow questions only. A relay whose broad answers were all empty is asked, by kind, author
 * and identifier, for events that are known from elsewhere. If it shows one, it holds something; if not, that proves
 * nothing. It is then asked broadly for what it has shown. A source that leaves that out is read again, with kinds
 * beside every tag; filters that cannot be made narrow are not drained.
 */
import { isHex32, parseEvent } from '../nostr/event.ts'
import { createMatcher, type Filter } from '../nostr/filter.ts'
import { KIND, ROOT_KINDS } from '../nostr/kinds.ts'
import { proveBreadth, type Ask } from '../relay/paging/prove-breadth.ts'
import type { Peer } from '../relay/peer.ts'
import { withinBudget, type Budget } from '../run/budget.ts'
import type { OpenSource } from '../run/source.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'

const MAX_ANNOUNCEMENTS = 10
const MAX_ROOTS = 50
const THREAD_KINDS = [...ROOT_KINDS, KIND.comment, KIND.statusOpen, KIND.statusApplied, KIND.statusClosed]
/** Tag values in use everywhere: marks of patches (NIP-34), kinds of comments (NIP-22) and deletions (NIP-09). */
const USUAL_QUESTIONS: readonly Filter[] = [
  { kinds: [KIND.patch], '#t': ['root', 'root-revision', 'cover-letter'] },
  { kinds: [KIND.comment], '#K': [KIND.announcement, ...ROOT_KINDS].map(String) },
  { kinds: [KIND.deletion], '#k': [KIND.announcement, KIND.state, KIND.comment, ...ROOT_KINDS].map(String) },
]
/** Kinds that operators are likely to keep on their relay: profile, note, follows, relay list. */
const COMMON_KINDS = [0, 1, 3, 10_002]

/** The part of a run that knows events, wherever they were seen. */
type Known = Pick<ScopedRun, 'catalog' | 'world'>

/** Returns the sources that have just turned out to leave out what they hold, and so must be read again. */
export async function findNarrow(run: Known & Pick<ScopedRun, 'sources'>): Promise<readonly OpenSource[]> {
  const relays = run.sources.filter(({ peer }) => peer.endpoint.kind === 'relay')
  const narrow = await Promise.all(relays.map(async (source) => ((await isNarrow(source, run)) ? [source] : [])))
  return narrow.flat()
}

/** Does the same test at the target, where left-out events may be announcements. */
export async function tryTarget(run: Known & Pick<ScopedRun, 'target'>): Promise<void> {
  const { target } = run
  if (target.endpoint.kind !== 'relay') return
  await tryPeer(target, (filter) => target.endpoint.request(filter), run)
}

async function isNarrow({ peer, budget, log, narrowing }: OpenSource, run: Known): Promise<boolean> {
  // A discovered source is asked only about the repositories that name it.
  const known = narrowing === undefined ? run : undefined
  if (!(await tryPeer(peer, askWithin(peer, budget), known))) return false
  if (peer.breadth.needsKinds)
    log.note(
      'answers narrow questions only: what belongs to repositories and threads was asked for by its kinds, and other kinds were not',
    )
  if (peer.breadth.leavesOut) {
    log.fail('leaves out of a broad answer what it shows to a narrow question')
    run.world.state.checkpoints.noteAllOpen(peer.endpoint.url)
  }
  return true
}

async function tryPeer(peer: Peer, ask: Ask, known: Known | undefined): Promise<boolean> {
  const { breadth } = peer
  if (known !== undefined && breadth.lacksRows && breadth.mayBeAsked())
    await lookFor(questionsAbout(peer, known), peer, ask)
  return proveBreadth(peer, ask)
}

function askWithin({ endpoint }: Peer, budget: Budget): Ask {
  const bounded = withinBudget(endpoint, budget)
  return (filter) => bounded.request(filter)
}

/** The first question, by ids, mostly brings enough; if it does not, all others are asked at once. */
async function lookFor([first, ...others]: readonly Filter[], { breadth, pageLimit: limit }: Peer, ask: Ask) {
  const look = async (question: Filter): Promise<void> => {
    const { rows } = await ask({ ...question, limit })
    const matches = createMatcher(question)
    breadth.show(
      question,
      rows.flatMap((row) => parseEvent(row) ?? []).filter((event) => matches(event)),
    )
  }
  if (first !== undefined) await look(first)
  if (breadth.lacksRows) await Promise.all(others.map(look))
}

/**
 * Returns questions with at least two conditions for events that are known from elsewhere or likely to be there. A
 * relay that has shown nothing at all is also asked for tag values that are in use everywhere.
 */
function questionsAbout({ findsIdentifiers, profile, breadth }: Peer, { catalog, world }: Known): Filter[] {
  const announced = [...catalog.announcements()].sort((a, b) => b.createdAt - a.createdAt).slice(0, MAX_ANNOUNCEMENTS)
  const roots = world.state.anchors.after('threads', 0, MAX_ROOTS).map(({ anchor }) => anchor)
  const ids = [...announced.map(({ id }) => id), ...roots]
  const authors = [...new Set(announced.map(({ pubkey }) => pubkey))]
  const named = findsIdentifiers ? { '#d': [...new Set(announced.map(({ identifier }) => identifier))] } : {}
  const operators = [profile.pubkey, profile.self].filter(isHex32)
  const questions: Filter[] = [
    { ids, kinds: [KIND.announcement, ...ROOT_KINDS] },
    { kinds: [KIND.announcement], authors, ...named },
    { kinds: THREAD_KINDS, '#a': announced.map(({ address }) => address) },
    { kinds: THREAD_KINDS, authors },
    { kinds: [...COMMON_KINDS, KIND.announcement, KIND.state], authors: operators },
    ...(breadth.hasShown ? [] : USUAL_QUESTIONS),
  ]
  return questions.filter(({ ids: asked, authors: by, '#a': about }) => (asked ?? by ?? about)?.length !== 0)
}
