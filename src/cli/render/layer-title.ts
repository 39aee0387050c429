import type { LayerName } from '../../layer-name.ts'

/** The documentation refers to layers by number. */
const LAYER_NUMBERS: Readonly<Record<LayerName, number>> = {
  announcements: 1,
  repositories: 2,
  threads: 3,
  'follow-ups': 4,
}

/** The number that a layer is known by. */
export function layerNumber(layer: LayerName): number {
  return LAYER_NUMBERS[layer]
}

/** Formats a layer's number and name: `2 repositories`. */
export function layerTitle(layer: LayerName): string {
  return `${LAYER_NUMBERS[layer]} ${layer}`
}
