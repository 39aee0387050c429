/** A `Date` header minus our clock (`nowMs`), in whole seconds; `undefined` when the header is absent or unreadable. */
export function clockOffsetSeconds(dateHeader: string | null | undefined, nowMs: number): number | undefined {
  const theirsMs = Date.parse(dateHeader ?? '')
  if (Number.isNaN(theirsMs)) return undefined
  // The header is cut to the second, so our clock is too.
  return Math.floor(theirsMs / 1000) - Math.floor(nowMs / 1000)
}
