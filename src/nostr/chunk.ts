// Two brackets, less the comma that the last item does not have.
const BRACKET_BYTES = 1

/**
 * The items in groups of at most `maxCount` items and `maxBytes` bytes as a JSON array; an item that is larger alone
 * still gets a group.
 */
export function* chunkByCountAndBytes<T>(
  items: Iterable<T>,
  limits: { maxCount: number; maxBytes: number },
): Generator<T[]> {
  let group: T[] = []
  let bytes = BRACKET_BYTES
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item)) + 1
    if (group.length > 0 && (group.length >= limits.maxCount || bytes + size > limits.maxBytes)) {
      yield group
      group = []
      bytes = BRACKET_BYTES
    }
    group.push(item)
    bytes += size
  }
  if (group.length > 0) yield group
}
