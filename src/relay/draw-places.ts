/**
 * Draws at most `count` of the places 0 … `size` − 1, evenly spread. The number decides which: with the start of the run
 * for it, every run draws others, so that a sample which finds nothing today finds it another day.
 */
export function drawPlaces(size: number, count: number, number: number): number[] {
  const drawn = Math.min(size, count)
  const chance = chanceOf(number)
  return Array.from({ length: drawn }, (_, index) => Math.floor(((index + chance) * size) / drawn))
}

/** A number from 0 to below 1 that changes much when the given one changes little. */
export function chanceOf(number: number): number {
  return (Math.imul(number % SPREAD_BELOW, KNUTH) >>> 0) / SPREAD_BELOW
}

const SPREAD_BELOW = 2 ** 32
// The multiplicative hash of Knuth: 2^32 divided by the golden ratio.
const KNUTH = 2_654_435_769
