import type { Run } from '../run/run.ts'
import type { Catalog } from './catalog.ts'
import type { ScopeChoice } from './scope-choice.ts'

/** A run whose scope is decided. */
export type ScopedRun = Run & { readonly choice: ScopeChoice; readonly catalog: Catalog }
