import { spawnSync } from 'node:child_process'

import { describe, expect, it, type TestContext } from 'vitest'

import type { Report } from '../../../src/report/report.ts'
import { packedProgram } from '../../support/packed-program.ts'
import type { CliResult } from '../../support/run-cli.ts'
import { endArguments, idsOf } from '../../support/workbench.ts'
import type { CellMeta } from '../matrix-reporter.ts'
import { UNSAFE } from '../unsafe.ts'
import type { Expected, Fault, Mode, Phase } from './fault.ts'
import { findFalseCoverage } from './false-coverage.ts'
import { anchorsOf, belongsOf } from './scene.ts'
import { startStage, type Stage } from './stage.ts'

const IS_FULL = process.env['FAULTS'] === 'full'
/** A run with short timeouts ends within this, retries and all; a machine that is busy gets its share. */
const DEADLINE_MS = 40_000
const TIMEOUTS = ['--connect-timeout', '--idle-timeout', '--ok-timeout']

/**
 * One test for each fault, mode and phase: with `FAULTS=full` all of them, else each fault once a mode in its worst
 * phase.
 */
export function describeMatrix(group: string, faults: readonly Fault[]): void {
  describe(group, () => {
    for (const fault of faults) {
      for (const mode of fault.modes ?? MODES) {
        if (!MODES.includes(mode)) continue
        for (const phase of IS_FULL ? new Set(fault.phases) : fault.phases.slice(0, 1)) {
          it(`${fault.name} · ${mode} · ${phase}`, (context) => playCell(fault, { mode, phase, group }, context))
        }
      }
    }
  })
}

/** Before the program can be told to page, there is one mode. */
const MODES: readonly Mode[] = hasReconciliation() ? ['paging', 'reconcile'] : ['paging']

function hasReconciliation(): boolean {
  return spawnSync(process.execPath, [packedProgram(), 'catchup', '--help']).stdout.includes('--no-reconcile')
}

type Cell = { readonly mode: Mode; readonly phase: Phase; readonly group: string }

async function playCell(fault: Fault, { mode, phase, group }: Cell, { task }: TestContext): Promise<void> {
  const meta: CellMeta = { group, fault: fault.name, mode, phase, exit: null, says: '', next: '' }
  Object.assign(task.meta, { cell: meta })
  const stage = await startStage(fault, mode)
  await fault.arm?.(stage, phase)
  const outcome = await catchup(stage, argumentsOf(fault))
  stage.outcome = outcome
  const expected = typeof fault.expected === 'function' ? fault.expected(phase, mode) : fault.expected
  Object.assign(meta, { exit: outcome.code, says: quote(outcome, expected) })
  expectFault(outcome, expected)
  expect(findFalseCoverage(stage)).toEqual([])
  fault.check?.(stage, phase)

  await Promise.all([stage.source, stage.target, stage.second].flatMap((end) => end?.heal() ?? []))
  fault.heals?.(stage)
  if (fault.laterSeconds !== undefined) stage.bench.letPass(fault.laterSeconds)
  const next = await catchup(stage, ['--json'])
  meta.next = `exit ${next.code}`
  expect(idsOf(stage.target.events()), text(next)).toEqual(idsOf(belongsOf(allTruth(stage))))
  expectFault(next, fault.next ?? { exit: 0 })
  expect(findFalseCoverage(stage)).toEqual([])
  const drained = stage.bench.checkpoints(stage.source).map(({ layer, anchor }) => `${layer} ${anchor}`)
  expect(drained.sort()).toEqual(anchorsOf(belongsOf(allTruth(stage))))
  meta.next = 'equal sets'
}

function argumentsOf({ asTable, waits, retries = 1, args = [] }: Fault): string[] {
  const timeouts = TIMEOUTS.flatMap((flag) => [flag, waits === true ? '700ms' : '20s'])
  return [asTable === true ? '--verbose' : '--json', ...timeouts, '--retries', String(retries), ...args]
}

function catchup({ bench, mode, source, target, second }: Stage, args: readonly string[]): Promise<CliResult> {
  const ends = endArguments(second === undefined ? [source] : [source, second], target)
  const modeArguments = mode === 'paging' && MODES.includes('reconcile') ? ['--no-reconcile'] : []
  return bench.spawn(['catchup', ...ends, ...modeArguments, ...args], { timeoutMs: DEADLINE_MS })
}

function expectFault(outcome: CliResult, { exit, says }: Expected): void {
  expect(outcome.signal).toBeNull()
  expect(outcome.stdout + outcome.stderr).not.toMatch(UNSAFE)
  expect(typeof exit === 'number' ? [exit] : exit, text(outcome)).toContain(outcome.code)
  if (says !== undefined) expect(text(outcome)).toMatch(says)
}

function allTruth({ truth, second }: Stage) {
  return second === undefined ? truth : [...truth, ...second.events()]
}

/** What the run said: its problems, or standard error when there is no report. */
function text(outcome: CliResult): string {
  const report = reportOf(outcome)
  const problems = report?.problems.map(({ what, where, reason }) => `${what} ${where}: ${reason}`) ?? []
  const table = report === undefined ? outcome.stdout : ''
  return [...problems, ...(report?.notes ?? []), table, outcome.stderr].join('\n')
}

function reportOf(outcome: CliResult): Report | undefined {
  return outcome.stdout.startsWith('{') ? outcome.json<Report>() : undefined
}

/** The words that name the fault, for the table. */
function quote(outcome: CliResult, { says }: Expected): string {
  const found = says === undefined ? null : says.exec(text(outcome))
  if (found === null) return ''
  const line =
    text(outcome)
      .split('\n')
      .find((each) => says?.test(each)) ?? found[0]
  return line.replaceAll(/ ?ws:\/\/[\d.:]+/g, '')
}
