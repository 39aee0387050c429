import { createHash } from 'node:crypto'

/** One part of several: the N-th (from 1) of T. */
export type Part = { readonly number: number; readonly of: number }

/** Whether a repository lies in a part, by a hash of its address: each lies in exactly one of them. */
export function isInPart(address: string, { number, of }: Part): boolean {
  return createHash('sha256').update(address).digest().readUInt32BE(0) % of === number - 1
}
