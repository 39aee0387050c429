import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { onTestFinished } from 'vitest'

import { layerVersions, type LayerVersions } from '../../src/checkpoint/layers.ts'
import { openStateFile, type Db } from '../../src/store/state-file.ts'
import { createTargetState, type TargetState } from '../../src/store/target-state.ts'

/** What a test may choose about its state. */
export type TemporaryStateOptions = {
  /** @default a new one in a temporary directory */
  readonly file?: string
  /** @default `ws://target.example` */
  readonly target?: string
  readonly versions?: LayerVersions
  /** @default no limit that a test meets */
  readonly maxSpoolBytes?: number
}

/** The state of one target in a file of its own. */
export type TemporaryState = { readonly state: TargetState; readonly db: Db; readonly file: string }

/** A directory that is removed with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Opens a state as a run does; a second call with the same file is a second connection, and a later run. */
export function openTemporaryState(options: TemporaryStateOptions = {}): TemporaryState {
  const file = options.file ?? join(temporaryDirectory(), 'state', 'state.db')
  const db = openStateFile(file)
  onTestFinished(() => void db.close())
  const { target = 'ws://target.example', maxSpoolBytes = 2 ** 40 } = options
  const versions = options.versions ?? layerVersions({ followUps: false })
  return { state: createTargetState(db, target, { versions, maxSpoolBytes }), db, file }
}
