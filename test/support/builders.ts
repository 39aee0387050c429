import type { NostrEvent } from '../../src/nostr/event.ts'
import { signEvent, type Key } from './sign.ts'

/** The moment of events whose test does not care: 2025-06-15T15:06:40Z. */
export const SOME_TIME = 1_750_000_000

/** What every builder takes; `tags` are added behind those that the kind needs. */
export type Extra = {
  /** Unix seconds. @default SOME_TIME */
  readonly createdAt?: number
  readonly content?: string
  readonly tags?: readonly (readonly string[])[]
}

type Tags = readonly (readonly string[])[]

/** The address of a repository, as `a` tags write it. */
export function repositoryAddress(owner: Key, d: string): string {
  return `30617:${owner.pubkey}:${d}`
}

/** What a repository announcement names besides its identifier. */
export type AnnouncementExtra = Extra & {
  readonly clone?: readonly string[]
  readonly relays?: readonly string[]
  readonly maintainers?: readonly Key[]
}

/** 30617. Lists are one tag with several values, as NIP-34 writes them; an absent list gives no tag. */
export function announcement(owner: Key, d: string, extra: AnnouncementExtra = {}): NostrEvent {
  const maintainers = extra.maintainers?.map(({ pubkey }) => pubkey)
  const tags = [['d', d], ['name', d], ...listTag('clone', extra.clone), ...listTag('relays', extra.relays)]
  return build(30617, owner, [...tags, ...listTag('maintainers', maintainers)], extra)
}

/** 30618, with a `main` branch at `commit`. */
export function state(owner: Key, d: string, extra: Extra & { readonly commit?: string } = {}): NostrEvent {
  const commit = extra.commit ?? '1'.repeat(40)
  return build(
    30618,
    owner,
    [
      ['d', d],
      ['refs/heads/main', commit],
      ['HEAD', 'ref: refs/heads/main'],
    ],
    extra,
  )
}

/** 1621 */
export function issue(repository: string, author: Key, extra: Extra = {}): NostrEvent {
  return build(1621, author, [...repositoryTags(repository), ['subject', 'an issue']], {
    content: 'it breaks',
    ...extra,
  })
}

/** 1617 */
export function patch(repository: string, author: Key, extra: Extra = {}): NostrEvent {
  const tags = [...repositoryTags(repository), ['t', 'root'], ['commit', '2'.repeat(40)]]
  return build(1617, author, tags, { content: 'From 2222222222222222222222222222222222222222', ...extra })
}

/** 1618 */
export function pullRequest(repository: string, author: Key, extra: Extra = {}): NostrEvent {
  const tags = [...repositoryTags(repository), ['subject', 'a pull request'], ['c', '3'.repeat(40)]]
  return build(1618, author, [...tags, ['clone', 'https://git.example.com/fork.git']], { content: 'please', ...extra })
}

/** 1619, the update of a pull request. */
export function pullRequestUpdate(root: NostrEvent, author: Key, extra: Extra = {}): NostrEvent {
  const tags = [['E', root.id], ['P', root.pubkey], ...repositoryTagsOf(root), ['c', '4'.repeat(40)]]
  return build(1619, author, [...tags, ['clone', 'https://git.example.com/fork.git']], extra)
}

/**
 * 1111 (NIP-22) on `parent`: `E K P` name the root and `e k p` the parent; `A` and `a` where one is addressable.
 * `root` is needed only when the parent is itself a comment. @default the parent
 */
export function comment(
  parent: NostrEvent,
  author: Key,
  extra: Extra & { readonly root?: NostrEvent } = {},
): NostrEvent {
  const root = extra.root ?? parent
  const upper = [pointer(root, 'A', 'E'), ['K', String(root.kind)], ['P', root.pubkey]]
  const lower = [pointer(parent, 'a', 'e'), ['k', String(parent.kind)], ['p', parent.pubkey]]
  return build(1111, author, [...upper, ...lower], { content: 'I see it too', ...extra })
}

/** 1630 (open), 1631 (applied), 1632 (closed) or 1633 (draft) of a root. */
export function status(kind: 1630 | 1631 | 1632 | 1633, root: NostrEvent, author: Key, extra: Extra = {}): NostrEvent {
  return build(kind, author, [['e', root.id, '', 'root'], ...repositoryTagsOf(root), ['p', root.pubkey]], extra)
}

/** 1, the replies of clients older than NIP-22. */
export function reply(parent: NostrEvent, author: Key, extra: Extra = {}): NostrEvent {
  return build(
    1,
    author,
    [
      ['e', parent.id, '', 'root'],
      ['p', parent.pubkey],
    ],
    { content: 'me too', ...extra },
  )
}

/** 7 */
export function reaction(to: NostrEvent, author: Key, extra: Extra = {}): NostrEvent {
  return build(
    7,
    author,
    [
      ['e', to.id],
      ['p', to.pubkey],
      ['k', String(to.kind)],
    ],
    { content: '+', ...extra },
  )
}

/** 1985 (NIP-32) */
export function label(to: NostrEvent, author: Key, extra: Extra & { readonly name?: string } = {}): NostrEvent {
  const name = extra.name ?? 'bug'
  return build(
    1985,
    author,
    [
      ['L', '#t'],
      ['l', name, '#t'],
      ['e', to.id],
      ['p', to.pubkey],
    ],
    extra,
  )
}

/** 10317, the user's GRASP servers in order of preference. */
export function graspList(author: Key, urls: readonly string[], extra: Extra = {}): NostrEvent {
  return build(
    10317,
    author,
    urls.map((url) => ['g', url]),
    extra,
  )
}

/** 5 (NIP-09), of ids, of addresses, or of both. */
export function deletion(
  of: { readonly ids?: readonly string[]; readonly addresses?: readonly string[] },
  author: Key,
  extra: Extra = {},
): NostrEvent {
  const { ids = [], addresses = [] } = of
  return build(5, author, [...ids.map((id) => ['e', id]), ...addresses.map((address) => ['a', address])], extra)
}

/** 62 (NIP-62), of these relays. */
export function vanishRequest(relays: readonly string[], author: Key, extra: Extra = {}): NostrEvent {
  return build(
    62,
    author,
    relays.map((relay) => ['relay', relay]),
    extra,
  )
}

function build(kind: number, author: Key, tags: Tags, extra: Extra): NostrEvent {
  const { createdAt = SOME_TIME, content = '' } = extra
  return signEvent(author, { kind, created_at: createdAt, tags: [...tags, ...(extra.tags ?? [])], content })
}

function listTag(name: string, values: readonly string[] = []): string[][] {
  return values.length === 0 ? [] : [[name, ...values]]
}

function repositoryTags(repository: string): string[][] {
  return [
    ['a', repository],
    ['p', repository.split(':')[1] ?? ''],
  ]
}

function repositoryTagsOf(root: NostrEvent): string[][] {
  return root.tags.filter(([name]) => name === 'a').map(([, repository]) => ['a', repository ?? ''])
}

function pointer(to: NostrEvent, address: string, id: string): string[] {
  const d = to.tags.find(([name]) => name === 'd')?.[1] ?? ''
  return to.kind >= 30_000 ? [address, `${to.kind}:${to.pubkey}:${d}`] : [id, to.id]
}
