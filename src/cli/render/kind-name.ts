import { KIND } from '../../nostr/kinds.ts'

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(KIND).map(([name, kind]) => [kind, name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)]),
)

/** A kind with its name where we have one: `1618 pull request`. */
export function kindName(kind: number): string {
  const name = NAMES.get(kind)
  return name === undefined ? String(kind) : `${kind} ${name}`
}
