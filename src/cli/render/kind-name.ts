import { KIND } from '../../nostr/kinds.ts'

/** Kinds that no filter names, but that refer to repositories and threads: NIP-01, 18, 25, 32, 51, 56, 57, 78, 82, 94. */
const OTHERS: readonly (readonly [kind: number, name: string])[] = [
  [0, 'profile'],
  [6, 'repost'],
  [7, 'reaction'],
  [16, 'repost'],
  [1063, 'file'],
  [1622, 'git reply'],
  [1984, 'report'],
  [1985, 'label'],
  ...[9841, 9842, 9843, 9844].map((kind) => [kind, 'CI'] as const),
  [9734, 'zap request'],
  [9735, 'zap'],
  [10002, 'relay list'],
  [30063, 'release'],
  [30078, 'app data'],
  [32267, 'application'],
]

const NAMES: ReadonlyMap<number, string> = new Map([
  ...OTHERS,
  ...Object.entries(KIND).map(
    ([name, kind]) => [kind, name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)] as const,
  ),
])

/** Formats a kind with its name, if we have one: `1618 pull request`. */
export function kindName(kind: number): string {
  const name = NAMES.get(kind)
  return name === undefined ? String(kind) : `${kind} ${name}`
}
