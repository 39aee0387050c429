/** A `Date` header minus our clock (`nowMs`), in whole seconds; `undefined` if the header is absent or unreadable. */
export function clockOffsetSeconds(dateHeader: string | null | undefined, nowMs: number): number | undefined {
  const theirsMs = Date.parse(dateHeader ?? '')
  if (Number.isNaN(theirsMs)) return undefined
  // The header is truncated to the second, so truncate our clock too.
  return Math.floor(theirsMs / 1000) - Math.floor(nowMs / 1000)
}
