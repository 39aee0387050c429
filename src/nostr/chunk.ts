// Two brackets, minus the comma that the last item lacks.
const BRACKET_BYTES = 1

/**
 * Groups the items so that each group has at most `maxCount` items and `maxBytes` bytes as a JSON array. An item that
 * is too large by itself gets its own group.
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
