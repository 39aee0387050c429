import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** What one cell of the matrix came to; a test fills it in while it runs. */
export type CellMeta = {
  group: string
  fault: string
  mode: string
  phase: string
  exit: number | null
  /** The line of the report that names the fault. */
  says: string
  /** What the next, undisturbed run came to. */
  next: string
}

declare module 'vitest' {
  interface TaskMeta {
    cell?: CellMeta
    /** A number or a seed that belongs into the output. */
    figure?: string
  }
}

type Row = readonly string[]

const HEAD: Row = ['fault', 'mode', 'phase', 'exit', 'next run', 'result', 'the report says']
const SAYS_WIDTH = 90

/** Prints the matrix as a table, then every other promise with its result, and last `N passed, N failed`. */
export default class MatrixReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly { message?: string; stack?: string }[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const cells = tests.filter((test) => test.meta().cell !== undefined)
    const others = tests.filter((test) => test.meta().cell === undefined && !isLeftOut(test))
    const lines = [
      ...renderTable([HEAD, ...cells.map(toRow)]),
      '',
      ...others.map((test) => `${resultOf(test).padEnd(7)} ${test.fullName}${figureOf(test)}`),
      ...[...tests.filter(isFailed).flatMap(explain), ...modules.flatMap(brokenModule)],
      ...errors.map((error) => `\nunhandled: ${error.stack ?? error.message ?? String(error)}`),
      '',
      summary(tests, errors.length + modules.flatMap((module) => module.errors()).length),
    ]
    process.stdout.write(`${lines.join('\n')}\n`)
  }
}

function toRow(test: TestCase): Row {
  const { fault = '', mode = '', phase = '', exit = null, next = '', says = '' } = test.meta().cell ?? {}
  const said = says.length > SAYS_WIDTH ? `${says.slice(0, SAYS_WIDTH)}…` : says
  return [fault, mode, phase, String(exit ?? '·'), next, resultOf(test), JSON.stringify(said).slice(1, -1)]
}

function renderTable(rows: readonly Row[]): string[] {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** Left out by a name pattern, not by a test that says why. */
function isLeftOut(test: TestCase): boolean {
  return resultOf(test) === 'skipped' && noteOf(test) === undefined
}

function noteOf(test: TestCase): string | undefined {
  const result = test.result()
  return result.state === 'skipped' ? result.note : undefined
}

function isFailed(test: TestCase): boolean {
  return test.result().state === 'failed'
}

function resultOf(test: TestCase): string {
  return test.result().state
}

function figureOf(test: TestCase): string {
  return [test.meta().figure, noteOf(test)].map((text) => (text === undefined ? '' : `  (${text})`)).join('')
}

function explain(test: TestCase): string[] {
  const errors = test.result().errors ?? []
  return [`\nfailed  ${test.fullName}`, ...errors.map((error) => error.stack ?? error.message)].concat(
    errors.map((error) => error.diff ?? ''),
  )
}

/** A file that could not be collected has no tests to fail. */
function brokenModule(module: TestModule): string[] {
  return module.errors().map((error) => `\nfailed  ${module.relativeModuleId}: ${error.stack ?? error.message}`)
}

/** An unhandled rejection, or a file that cannot be read, is a failure like any other. */
function summary(tests: readonly TestCase[], otherFailures: number): string {
  const count = (state: string): number => tests.filter((test) => resultOf(test) === state).length
  const failed = count('failed') + otherFailures
  const skipped = tests.filter((test) => resultOf(test) === 'skipped' && !isLeftOut(test)).length
  return `${count('passed')} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`
}
