import type { LayerName } from '../../layer-name.ts'

/** Layers are known by number in the documentation. */
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

/** A layer's name with its number: `2 repositories`. */
export function layerTitle(layer: LayerName): string {
  return `${LAYER_NUMBERS[layer]} ${layer}`
}
