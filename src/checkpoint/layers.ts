import type { NostrEvent } from '../nostr/event.ts'
import type { Filter } from '../nostr/filter.ts'
import { parseAddress } from '../nostr/address.ts'
import { HOSTED_KINDS, isHostedPullRequest } from '../nostr/hosted-pull-request.ts'
import { KIND } from '../nostr/kinds.ts'
import type { Service } from '../nostr/service-url.ts'
import type { LayerName } from '../layer-name.ts'

/**
 * A layer as data. An anchor is the subject of a filter:
 * - announcements: `all`, `listed:<host:port>` with the base path of the service, if any, `author:<pubkey>`, an address
 *   `30617:…`, or `10317:<pubkey>:`
 * - repositories: an address `30617:…` (for events that refer to it), `30618:<author>:<d>` (a state), or
 *   `prs:<host:port>` with the base path of the service (pull requests that it hosts without an announcement)
 * - threads: the id of a root
 * - follow-ups: the id of an event of layer 2 or 3 that is not a root, or of a follow-up, and the address of one that
 *   is addressable
 */
export type Layer = {
  readonly name: LayerName
  /** Raised when filters or selection rules change; a checkpoint of an older version counts as none. */
  readonly version: number
  readonly variants: readonly Variant[]
}

/**
 * One kind of REQ of a layer: the anchors it serves, and the filter for a group of them. `accepts`: no filter can
 * express the condition, so the filter asks for more and only events that pass belong to the run.
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

/** Version 2 also follows addresses, and follow-ups of follow-ups. */
const FOLLOW_UPS: Layer = {
  name: 'follow-ups',
  version: 2,
  variants: [tagVariant('e', isId), tagVariant('a', isAddressAnchor), tagVariant('A', isAddressAnchor)],
}

/**
 * How many steps are followed from an event of layer 2 or 3: a release of an application (1), a comment on it (2), a
 * reaction to that (3), and the deletion of the reaction (4). Beyond lies what has little to do with the repository.
 */
export const MAX_FOLLOW_DEPTH = 4

const HOSTED = 'prs:'

/** The anchor for pull requests that a service hosts without an announcement (GRASP-06). */
export function hostedAnchor({ name }: Service): string {
  return HOSTED + name
}

/**
 * The layers of a run in reading order. `followUps` adds deletions, reactions, labels and zaps of comments, statuses
 * and the like. `host` adds pull requests hosted by this service.
 */
export function layersOf({ followUps, host }: { followUps: boolean; host?: Service | undefined }): readonly Layer[] {
  const layers = host === undefined ? LAYERS : LAYERS.map((layer) => withHosted(layer, host))
  return followUps ? [...layers, FOLLOW_UPS] : layers
}

/** Relays cannot filter by `clone`, so this asks for all pull requests. */
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

/** The layer versions whose checkpoints are believed, by layer name. The first is the one written. */
export type LayerVersions = ReadonlyMap<LayerName, readonly [written: number, ...others: number[]]>

/** Added to the version of a layer when its events, and their addresses, also became anchors of the follow-ups. */
const WITH_FOLLOW_UPS = 2_000
/** The same before addresses were followed. A run without follow-ups believes these checkpoints too. */
const WITH_IDS_FOLLOWED = 1_000

/**
 * A run without `--follow-ups` reads no follow-ups of the repositories and threads that it drains. So a run with
 * `--follow-ups` ignores those checkpoints; otherwise it would never ask for follow-ups of events copied before. Runs
 * without it believe both.
 */
export function layerVersions({ followUps }: { followUps: boolean }): LayerVersions {
  return new Map(
    layersOf({ followUps: true }).map(({ name, version }) => {
      const leadsToFollowUps = name === 'repositories' || name === 'threads'
      if (!leadsToFollowUps) return [name, [version]]
      const followed = version + WITH_FOLLOW_UPS
      return [name, followUps ? [followed] : [version, followed, version + WITH_IDS_FOLLOWED]]
    }),
  )
}

/** Whether the anchor stands for the whole scope rather than one repository, author or root. */
export function isWholeScope(anchor: string): boolean {
  return anchor === 'all' || anchor.startsWith('listed:')
}

function isId(anchor: string): boolean {
  return !isAddressAnchor(anchor)
}

/** Ids have no colon. */
function isAddressAnchor(anchor: string): boolean {
  return anchor.includes(':')
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
