import type { Interruption } from './interruption.ts'

/** The environment of the program: `process`, or a replacement in tests. `stdin` is made at its first use. */
export type Surroundings = Pick<NodeJS.Process, 'env' | 'stdin' | 'stdout' | 'stderr'> & {
  readonly interruption: Interruption
}
