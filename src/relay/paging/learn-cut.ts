import type { AskedPage, CloseContext, Reader } from './close-second.ts'

/**
 * Learns from a page with older rows below it: it was cut off. If others have been larger, pages have become smaller,
 * or their size varies, and then no page of so many rows is known to be whole. An event may also have come in between:
 * the page, asked for again, shows it then.
 */
export async function learnCut(page: AskedPage, read: Reader, { capacity }: CloseContext): Promise<void> {
  const { filter, until, count } = page
  if (count >= Math.min(capacity.most, capacity.cutAt)) return
  const again = await read({ ...filter, ...(until !== undefined && { until }) })
  if (again.end.type !== 'eose' || again.isCut || again.isJoined || again.isMixed) return
  if (again.rowCount > 0 && again.rowCount <= count) capacity.cutAt = Math.min(capacity.cutAt, again.rowCount)
}
