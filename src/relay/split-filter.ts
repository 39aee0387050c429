import { tagConditions, type Filter } from '../nostr/filter.ts'
import { KIND } from '../nostr/kinds.ts'

/** The kinds by which a filter without kinds is split. */
export const SPLIT_KINDS: readonly number[] = Object.values(KIND)

/**
 * Halves the longest list of the filter. A filter of single values without kinds is split by kind, which may find more
 * but proves nothing.
 */
export function splitFilter(filter: Filter): Filter[] {
  const [longest] = valueLists(filter).sort(([, a], [, b]) => b.length - a.length)
  if (longest !== undefined && longest[1].length > 1) {
    const [key, values] = longest
    const middle = Math.ceil(values.length / 2)
    return [values.slice(0, middle), values.slice(middle)].map((half) => ({ ...filter, [key]: half }))
  }
  if (filter.kinds !== undefined) return []
  return SPLIT_KINDS.map((kind) => ({ ...filter, kinds: [kind] }))
}

/** Whether the parts of the split together equal the whole. */
export function isSplitProof(filter: Filter): boolean {
  return valueLists(filter).some(([, values]) => values.length > 1)
}

function valueLists(filter: Filter): (readonly [key: string, values: readonly (string | number)[]])[] {
  const { ids, authors, kinds } = filter
  const lists = [['ids', ids] as const, ['authors', authors] as const, ['kinds', kinds] as const]
  const tags = tagConditions(filter).map(([name, values]) => [`#${name}`, values] as const)
  return [...tags, ...lists.flatMap(([key, values]) => (values === undefined ? [] : [[key, values] as const]))]
}
