import { KIND } from '../../nostr/kinds.ts'

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(KIND).map(([name, kind]) => [kind, name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)]),
)

/** Formats a kind with its name, if we have one: `1618 pull request`. */
export function kindName(kind: number): string {
  const name = NAMES.get(kind)
  return name === undefined ? String(kind) : `${kind} ${name}`
}
