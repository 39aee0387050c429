import { writeFileSync } from 'node:fs'

/** Hands what a bench measured to `npm run bench`, which keeps it as data beside the printed text (`--keep`). */
export function giveFigures(figures: Readonly<Record<string, unknown>>): void {
  const file = process.env['BENCH_FIGURES']
  if (file !== undefined) writeFileSync(file, JSON.stringify(figures))
}

/** The middle value, of an even number the upper of the two; 0 of none. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
