/*
 * Discovery during a run. After each round of reading, the relays named by announcements in scope become sources, if
 * they may be followed, and are asked only about the repositories that name them. The addresses of a host are checked
 * here, to say why a relay is left out, and again by the lookup of each connection, which dials only checked addresses.
 */
import { formatAddress, parseAddress } from '../nostr/address.ts'
import { hostAndPort, hostKey, relayKey } from '../nostr/host.ts'
import { KIND } from '../nostr/kinds.ts'
import type { Endpoint, Profile } from '../relay/endpoint.ts'
import { classifyAddress } from '../relay/socket/public-address.ts'
import type { DiscoveryPolicy } from '../report/run-options.ts'
import type { Discovered, Narrowing, OpenSource } from '../run/source.ts'
import type { ScopedRun } from '../scope/scoped-run.ts'
import { chooseRelays, describeLeftOut, findCandidates, refusalOf } from './candidates.ts'
import type { Candidate, Chosen, Findings, LeftOut, Omission } from './candidates.ts'

/** Opens and logs a source; `target` when it is the target, `undefined` when it cannot be reached. */
export type OpenStranger = (
  endpoint: Endpoint,
  isTarget: (profile: Profile) => boolean,
) => Promise<OpenSource | 'target' | undefined>

/** A relay that was looked at: what it is asked about, and the source, when it could be opened. */
type Taken = {
  /** Addresses `30617:…`. */
  readonly repositories: Set<string>
  readonly authors: Set<string>
  source: OpenSource | undefined
}

/** Unfit relays must be looked up too, so their number is bounded (rule 9). */
const MAX_REFUSED = 100

/** The sources that announcements lead to, in one run. */
export class Discovery {
  readonly #run: ScopedRun
  readonly #policy: DiscoveryPolicy
  readonly #open: OpenStranger
  readonly #taken = new Map<string, Taken>()
  readonly #refused = new Map<string, LeftOut>()
  #targetPlaces: ReadonlySet<string> | undefined
  #leftOut: readonly Omission[] = []

  constructor(run: ScopedRun, policy: DiscoveryPolicy, open: OpenStranger) {
    this.#run = run
    this.#policy = policy
    this.#open = open
  }

  /** Follows what is announced now. Returns the sources that are new, or asked about more than before. */
  async follow(): Promise<readonly Discovered[]> {
    const { catalog, sources } = this.#run
    this.#targetPlaces ??= await this.#findTargetPlaces()
    const found = findCandidates(catalog.announcementsInScope(), (announcement) => catalog.withUrls(announcement))
    const grown = this.#extend(found.candidates)
    const added: Taken[] = []
    for (let next = this.#choose(found); next.length > 0; next = this.#choose(found)) {
      added.push(...(await Promise.all(next.map((chosen) => this.#take(chosen)))).flat())
    }
    sources.push(...added.flatMap(({ source }) => source ?? []))
    return [...grown, ...added].flatMap(toDiscovered)
  }

  /** A sentence for each reason why named relays were not asked. */
  notes(): string[] {
    return describeLeftOut(this.#leftOut)
  }

  /** Adds newly announced repositories to relays that were taken before. Returns the relays that grew. */
  #extend(candidates: readonly Candidate[]): Taken[] {
    return candidates.flatMap(({ key, repositories }) => {
      const taken = this.#taken.get(key)
      return taken !== undefined && addRepositories(taken, repositories) ? [taken] : []
    })
  }

  /** The relays to look at next; notes what is left out. */
  #choose({ candidates, leftOut }: Findings): readonly Chosen[] {
    const { world } = this.#run
    const policy = this.#policy
    const named = world.sources.filter(({ kind }) => kind === 'relay').map(({ url }) => url)
    const isTired = this.#refused.size >= MAX_REFUSED
    const choice = chooseRelays(candidates, {
      policy,
      sources: new Set([...named.map(relayKey), ...this.#taken.keys()]),
      targetHosts: new Set(this.#targetUrls().map(hostKey)),
      refused: this.#refused,
      room: isTired ? 0 : policy.max - this.#taken.size,
      limit: isTired ? 'unseen' : 'cap',
    })
    this.#leftOut = [...leftOut, ...choice.leftOut]
    return choice.chosen
  }

  /** Makes a relay a source, unless its addresses or its document forbid it. */
  async #take({ key, url, repositories }: Chosen): Promise<Taken[]> {
    const { target, world } = this.#run
    const policy = this.#policy
    const gate = world.strangers
    const addresses = await gate.addressesOf(url)
    const shared = addresses.filter((address) => this.#targetPlaces?.has(placeOf(address, url)))
    // Many relays share a public address: a reverse proxy or a CDN. Those of a private network are not shared.
    const isTargetAlone = shared.some((address) => classifyAddress(address) !== 'public')
    const why = refusalAt(addresses, url, policy) ?? (isTargetAlone ? 'target' : undefined)
    if (why !== undefined) return this.#refuse(key, why)
    const isAllowed = (address: string): boolean => refusalAt([address], url, policy) === undefined
    const isTarget = (profile: Profile): boolean => isSameRelay(profile, target.profile, shared.length > 0)
    const opened = await this.#open(gate.open(url, isAllowed), isTarget)
    if (opened === 'target') return this.#refuse(key, 'target')
    const taken: Taken = { repositories: new Set(), authors: new Set(), source: undefined }
    addRepositories(taken, repositories)
    if (opened !== undefined) taken.source = { ...opened, narrowing: this.#narrow(url, taken) }
    this.#taken.set(key, taken)
    return [taken]
  }

  #refuse(key: string, why: LeftOut): [] {
    this.#refused.set(key, why)
    return []
  }

  #narrow(url: string, { repositories, authors }: Taken): Narrowing {
    const { catalog } = this.#run
    const { state } = this.#run.world
    const isOf = (...found: readonly string[]): boolean => found.some((repository) => repositories.has(repository))
    const isNamed = (anchor: string): boolean => {
      const address = parseAddress(anchor)
      if (address === undefined) return isOf(...state.anchors.repositoriesOf(anchor))
      if (address.kind === KIND.graspList) return authors.has(address.pubkey)
      return isOf(formatAddress({ ...address, kind: KIND.announcement }))
    }
    return {
      isAskedFor: (layer, anchor) => isNamed(anchor) && !state.checkpoints.isRead(url, layer, anchor),
      isAskedAbout: (event) => isOf(...catalog.repositoriesOf(event)),
    }
  }

  /** The target's URLs: as dialled, and public. */
  #targetUrls(): readonly string[] {
    const { target, options } = this.#run
    return [target.endpoint.url, ...(options.service === undefined ? [] : [options.service])]
  }

  async #findTargetPlaces(): Promise<ReadonlySet<string>> {
    const { target, world } = this.#run
    const gate = world.strangers
    if (target.endpoint.kind === 'file') return new Set()
    const urls = this.#targetUrls()
    const places = urls.map(async (url) => (await gate.addressesOf(url)).map((address) => placeOf(address, url)))
    return new Set((await Promise.all(places)).flat())
  }
}

function toDiscovered({ source, repositories, authors }: Taken): Discovered[] {
  const lists = [...authors].map((pubkey) => formatAddress({ kind: KIND.graspList, pubkey, d: '' }))
  return source === undefined ? [] : [{ source, announcements: [...repositories, ...lists] }]
}

/** Adds repositories to a relay; returns whether any is new. */
function addRepositories({ repositories, authors }: Taken, added: Candidate['repositories']): boolean {
  const before = repositories.size
  for (const address of [...added].flatMap((addresses) => [...addresses])) {
    repositories.add(address)
    authors.add(parseAddress(address)?.pubkey ?? '')
  }
  return repositories.size > before
}

function refusalAt(addresses: readonly string[], url: string, policy: DiscoveryPolicy): LeftOut | undefined {
  return addresses.flatMap((address) => refusalOf(classifyAddress(address), url, policy) ?? [])[0]
}

/** An address with the port of a URL. */
function placeOf(address: string, url: string): string {
  return `${address} ${hostAndPort(url)?.replace(/^.*:/, '') ?? ''}`
}

/**
 * Whether two profiles are of one relay: same relay key, or, at one address, same name and operator. A relay that lies
 * loses only itself.
 */
function isSameRelay(one: Profile, other: Profile, isAtOneAddress: boolean): boolean {
  if (one.self !== undefined && one.self === other.self) return true
  const isNamedAlike = one.name !== undefined && one.name === other.name
  return isAtOneAddress && isNamedAlike && one.pubkey !== undefined && one.pubkey === other.pubkey
}
