import type { NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import { parseAddress } from '../nostr/address.ts'
import { HOSTED_KINDS, isHostedPullRequest } from '../nostr/hosted-pull-request.ts'
import { KIND } from '../nostr/kinds.ts'
import type { Service } from '../nostr/service-url.ts'
import type { LayerName } from '../layer-name.ts'

/**
 * The layers as data. An anchor is what a filter asks about:
 * - announcements: `all`, `listed:<host:port>` with the base path of the service, if any, `author:<pubkey>`, an address
 * `30617:…`, or `10317:<pubkey>:`
 * - repositories: an address `30617:…` (what refers to it), `30618:<author>:<d>` (a state), or `prs:<host:port>` with
 * the base
 *   path of the service (the pull requests that it hosts without an announcement)
 * - threads: the id of a root
 * - follow-ups: the id of an event of layer 2 or 3 that is no root
 */
export type Layer = {
  readonly name: LayerName
  /** Raised when filters or selection rules change: a checkpoint of an older version counts as none. */
  readonly version: number
  readonly variants: readonly Variant[]
}

/**
 * One kind of REQ of a layer: which anchors it serves, and the filter for a group of them. `accepts`: no filter can say
 * what is meant, so more is asked for, and only what passes belongs to the run.
 */
export type Variant = {
  readonly name: string
  readonly serves: (anchor: string) => boolean
  readonly filter: (anchors: readonly string[]) => Filter
  readonly accepts?: (event: NostrEvent) => boolean
}

/** The layers of every run (NIP-34, NIP-22 for the upper-case tags, NIP-18 for `q`). */
export const LAYERS: readonly Layer[] = [
  {
    name: 'announcements',
    version: 2,
    variants: [
      {
        name: '30617',
        serves: (anchor) => isWholeScope(anchor),
        filter: () => ({ kinds: [KIND.announcement] }),
      },
      { name: '10317', serves: (anchor) => anchor === 'all', filter: () => ({ kinds: [KIND.graspList] }) },
      {
        name: '30617 by author',
        serves: (anchor) => anchor.startsWith('author:'),
        filter: (anchors) => ({
          kinds: [KIND.announcement],
          authors: anchors.map((anchor) => anchor.slice('author:'.length)),
        }),
      },
      {
        name: '30617 by author and #d',
        serves: (anchor) => anchor.startsWith(`${KIND.announcement}:`),
        filter: (anchors) => addressFilter(KIND.announcement, anchors),
      },
      {
        name: '10317 by author',
        serves: (anchor) => anchor.startsWith(`${KIND.graspList}:`),
        filter: (anchors) => ({ kinds: [KIND.graspList], authors: distinct(anchors.map(pubkeyOf)) }),
      },
    ],
  },
  {
    name: 'repositories',
    version: 2,
    variants: [
      {
        name: '30618 by author and #d',
        serves: (anchor) => anchor.startsWith(`${KIND.state}:`),
        filter: (anchors) => addressFilter(KIND.state, anchors),
      },
      ...(['a', 'A', 'q'] as const).map((tag) =>
        tagVariant(tag, (anchor) => anchor.startsWith(`${KIND.announcement}:`)),
      ),
    ],
  },
  { name: 'threads', version: 1, variants: (['e', 'E', 'q'] as const).map((tag) => tagVariant(tag, () => true)) },
]

const FOLLOW_UPS: Layer = { name: 'follow-ups', version: 1, variants: [tagVariant('e', () => true)] }

const HOSTED = 'prs:'

/** The anchor for the pull requests that a service hosts without an announcement (GRASP-06). */
export function hostedAnchor({ name }: Service): string {
  return HOSTED + name
}

/**
 * The layers of a run, in the order in which they are read. `followUps`: deletions, reactions, labels and zaps of
 * comments, statuses and the like as well. `host`: pull requests that this service hosts as well.
 */
export function layersOf({ followUps, host }: { followUps: boolean; host?: Service | undefined }): readonly Layer[] {
  const layers = host === undefined ? LAYERS : LAYERS.map((layer) => withHosted(layer, host))
  return followUps ? [...layers, FOLLOW_UPS] : layers
}

/** No relay finds events by `clone`: all pull requests are asked for. */
function withHosted(layer: Layer, host: Service): Layer {
  if (layer.name !== 'repositories') return layer
  const hosted: Variant = {
    name: 'hosted pull requests',
    serves: (anchor) => anchor.startsWith(HOSTED),
    filter: () => ({ kinds: HOSTED_KINDS }),
    accepts: (event) => isHostedPullRequest(event, host),
  }
  return { ...layer, variants: [...layer.variants, hosted] }
}

/** The versions of a layer whose checkpoints are believed, by its name; the first is the one that is written. */
export type LayerVersions = ReadonlyMap<LayerName, readonly [written: number, ...others: number[]]>

/** Added to the version of a layer when every event of it that was read became an anchor of the follow-ups. */
const WITH_FOLLOW_UPS = 1_000

/**
 * What a run without `--follow-ups` has read of repositories and threads leads to no follow-up: a run with it believes
 * none of those checkpoints, else follow-ups of what was copied before would never be asked for. The reverse holds.
 */
export function layerVersions({ followUps }: { followUps: boolean }): LayerVersions {
  return new Map(
    layersOf({ followUps: true }).map(({ name, version }) => {
      const leadsToFollowUps = name === 'repositories' || name === 'threads'
      if (!leadsToFollowUps) return [name, [version]]
      return [name, followUps ? [version + WITH_FOLLOW_UPS] : [version, version + WITH_FOLLOW_UPS]]
    }),
  )
}

/** Whether the anchor stands for the scope as a whole and not for one repository, author or root. */
export function isWholeScope(anchor: string): boolean {
  return anchor === 'all' || anchor.startsWith('listed:')
}

function tagVariant(tag: string, serves: Variant['serves']): Variant {
  return { name: `#${tag}`, serves, filter: (anchors) => ({ [`#${tag}`]: anchors }) }
}

function addressFilter(kind: number, anchors: readonly string[]): Filter {
  return { kinds: [kind], authors: distinct(anchors.map(pubkeyOf)), '#d': distinct(anchors.map(identifierOf)) }
}

function pubkeyOf(anchor: string): string {
  return parseAddress(anchor)?.pubkey ?? ''
}

function identifierOf(anchor: string): string {
  return parseAddress(anchor)?.d ?? ''
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)]
}
