/** Sums and the like of what reports hold; no sum is larger than what JSON keeps exactly. */

/** As many as the lists in the report of a run hold. */
const MAX_LISTED = 10_000

/** Returns the sum of a number over some things. */
export function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return Math.min(
    items.reduce((total, item) => total + value(item), 0),
    Number.MAX_SAFE_INTEGER,
  )
}

/** Adds up records by their keys. A `Map` between, because a key may be `__proto__`. */
export function sumRecords<K extends string>(
  records: readonly Readonly<Partial<Record<K, number>>>[],
): Record<string, number> & Partial<Record<K, number>> {
  const sums = new Map<string, number>()
  for (const record of records) {
    for (const [key, value] of Object.entries<number | undefined>(record))
      sums.set(key, Math.min((sums.get(key) ?? 0) + (value ?? 0), Number.MAX_SAFE_INTEGER))
  }
  // The keys are those of the records.
  return Object.fromEntries(sums) as Record<string, number> & Partial<Record<K, number>>
}

/** Puts things with equal keys together, in the order in which the keys come first. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return [...groups.values()]
}

/** The least number that is not null; null if all are. */
export function leastOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((least, value) => Math.min(least, value))
}

/** Keeps as many as a list holds, and says how many were cut off. */
export function cutAt<T>(items: readonly T[]): { readonly kept: readonly T[]; readonly cut: number } {
  return { kept: items.slice(0, MAX_LISTED), cut: Math.max(0, items.length - MAX_LISTED) }
}
