import { createHash } from 'node:crypto'
import type { Part } from '../report/run-options.ts'

/** Whether a name lies in a part, by its hash: each lies in exactly one of T parts, so T runs of different N cover all. */
export function isInPart(name: string, { number, of }: Part): boolean {
  return createHash('sha256').update(name).digest().readUInt32BE(0) % of === number - 1
}
