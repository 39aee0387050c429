import { formatCount } from '../render/format-quantity.ts'
import { escapeHtml } from './escape-html.ts'
import type { PageBin } from './page.ts'

/** Of the width of a bar and its gap, in hundredths. */
const BAR = 86
const HEIGHT = 100

/**
 * Renders bins as bars in an SVG that fills its box. It holds no visible text, which would be stretched with it; each
 * bar has a title.
 */
export function renderBars(bins: readonly PageBin[], title: string): string {
  const most = Math.max(1, ...bins.map(({ count }) => count))
  const bars = bins.map((bin, index) => renderBar(bin, index, most)).join('')
  const width = Math.max(1, bins.length) * 100
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ${width} ${HEIGHT}" preserveAspectRatio="none"><title>${escapeHtml(title)}</title>${bars}</svg>`
}

/** A bar for a count that is not zero is at least one hundredth high. */
function renderBar({ label, count, isOutlier }: PageBin, index: number, most: number): string {
  if (count === 0) return ''
  const height = Math.max(1, Math.round((count / most) * HEIGHT))
  const x = index * 100 + (100 - BAR) / 2
  const title = escapeHtml(`${label}: ${formatCount(count)}`)
  const style = isOutlier ? 'bar outlier' : 'bar'
  return `<rect class="${style}" x="${x}" y="${HEIGHT - height}" width="${BAR}" height="${height}"><title>${title}</title></rect>`
}
