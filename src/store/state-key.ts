/*
 * The name of a target in the state file. A shard has its own, so that all tables, and the lock, are its own: no other
 * shard and no run without one believes its checkpoints. It is the URL, a space, which no URL has, and the shard.
 */
import type { Part } from '../report/run-options.ts'

const SHARD_OF_RELAY = /^(wss?:\/\/[^ ]*) shard (\d{1,5})\/(\d{1,5})$/

/** A target, or one shard of it, in the state file. */
export type StateName = { readonly target: string; readonly shard: Part | null }

/** The rows that a command is about. `shard` null: those of runs without one; undefined: all. */
export type WantedState = { readonly target: string; readonly shard?: Part | null | undefined }

/** Returns the key of a target, which is a relay if there is a shard. */
export function stateKey(target: string, shard: Part | null | undefined): string {
  return shard === undefined || shard === null ? target : `${target} shard ${shard.number}/${shard.of}`
}

/** Returns what a key stands for. */
export function readStateKey(key: string): StateName {
  const [, target, number, of] = SHARD_OF_RELAY.exec(key) ?? []
  if (target === undefined) return { target: key, shard: null }
  return { target, shard: { number: Number(number), of: Number(of) } }
}

/** Whether a key is one of those wanted. */
export function isWantedKey(key: string, { target, shard }: WantedState): boolean {
  return shard === undefined ? readStateKey(key).target === target : key === stateKey(target, shard)
}

/** Sorts keys by target, and shards by their numbers. */
export function sortKeys(keys: readonly string[]): string[] {
  const sorted = keys.map((key) => ({ key, ...readStateKey(key) }))
  sorted.sort((a, b) => compare(a.target, b.target) || rank(a) - rank(b))
  return sorted.map(({ key }) => key)
}

/** Runs without a shard first, then by how many shards there are. */
function rank({ shard }: StateName): number {
  return shard === null ? 0 : shard.of * 100_000 + shard.number
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
