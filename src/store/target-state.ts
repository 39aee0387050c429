import type { LayerVersions } from '../checkpoint/layers.ts'
import { AffectedRows } from './affected.ts'
import { AnchorStore } from './anchors.ts'
import { CheckpointStore } from './checkpoints.ts'
import { CopyTable } from './copy-table.ts'
import { KnownEvents } from './known-events.ts'
import { pruneState, type PruneOptions } from './prune.ts'
import { RunTables } from './run-tables.ts'
import { RunStore } from './runs.ts'
import { SettledTally } from './settled-tally.ts'
import { shrinkFile } from './shrink.ts'
import { Spool } from './spool.ts'
import { prepareSpoolStatements } from './spool-statements.ts'
import { SourceStore } from './sources.ts'
import { SpoolRows } from './spool-rows.ts'
import { durably, type Db } from './state-file.ts'
import { WaitingRows } from './waiting-rows.ts'
import { WitnessStore } from './witnesses.ts'

/** The stored state of one target, and the working tables of one run. */
export type TargetState = {
  readonly checkpoints: CheckpointStore
  readonly anchors: AnchorStore
  readonly spool: Spool
  /** For `fate.ts` only. */
  readonly spoolRows: SpoolRows
  readonly waits: WaitingRows
  readonly affected: AffectedRows
  readonly settled: SettledTally
  readonly known: KnownEvents
  readonly witnesses: WitnessStore
  readonly sources: SourceStore
  readonly runs: RunStore
  readonly run: RunTables
  /** For `check --copies`. */
  readonly copies: CopyTable
  /** Runs `work` in one transaction: all of it or nothing. It survives the death of the process, not a power cut. */
  transaction<T>(work: () => T): T
  /** The same, and it survives a power cut with everything that was written before it. */
  durableTransaction<T>(work: () => T): T
  /** Removes rows that no run can need any more. */
  prune(options: PruneOptions): void
  /** Closes the file; shrinks it first if most of it is empty. */
  close(): void
}

/** Returns the state of one target in an open state file. `versions` are the current layer versions. */
export function createTargetState(
  db: Db,
  target: string,
  options: { versions: LayerVersions; maxSpoolBytes: number },
): TargetState {
  const statements = prepareSpoolStatements(db)
  const spool = new Spool(db, target, { maxBytes: options.maxSpoolBytes, statements })
  const settled = new SettledTally(db)
  return {
    checkpoints: new CheckpointStore(db, target, options.versions),
    anchors: new AnchorStore(db, target),
    known: new KnownEvents(db, target),
    spool,
    spoolRows: new SpoolRows(db, target, { spool, statements }),
    waits: new WaitingRows(db, target),
    affected: new AffectedRows(db, target, settled),
    settled,
    witnesses: new WitnessStore(db, target),
    sources: new SourceStore(db, target),
    runs: new RunStore(db, target),
    run: new RunTables(db),
    copies: new CopyTable(db),
    transaction: (work) => db.transaction(work).immediate(),
    durableTransaction: (work) => durably(db, () => db.transaction(work).immediate()),
    prune: (pruneOptions) => pruneState(db, target, pruneOptions),
    close: () => {
      shrinkFile(db)
      db.close()
    },
  }
}
