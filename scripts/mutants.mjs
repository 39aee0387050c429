// `npm run test:mutants [rule…]`: breaks each rule of design.md in one place of src and expects that rule's test to fail;
// beside these stand the rules for git data (`git`), `serve` and `--max-send` (`send`), whose mutants name their tests.
//
// Works on copies of the checkout in a temporary directory. First the unbroken copy must pass; then each mutant is
// written, the one module rebuilt, and only the test of its rule run. Exit 1: a mutant survived, what it breaks is no
// longer found exactly once, or something else than a test failed.
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import ts from 'typescript'

import { applyMutant, findMutant, readPieces } from './find-mutant.mjs'
import { MUTANTS } from './mutant-list.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const LEFT_OUT = ['node_modules', '.git', 'dist-bench', 'coverage']
const TIMEOUT_MS = 600_000

/** As in tsconfig.json, for one module at a time. */
const COMPILER_OPTIONS = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  rewriteRelativeImportExtensions: true,
  verbatimModuleSyntax: true,
}

const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-mutants-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
])
  process.once(signal, () => process.exit(code))
process.exitCode = await main(process.argv.slice(2))

/** Runs the mutants of these rules, of all when none is named. Returns the exit code. */
async function main(rules) {
  const chosen = MUTANTS.filter(({ rule }) => rules.length === 0 || rules.includes(String(rule)))
  const checkout = createCopy()
  const pieces = readPieces(checkout)
  const located = chosen.map((mutant) => ({ mutant, places: findMutant(mutant, pieces) }))
  const stale = located.filter(({ places }) => places.length !== 1)
  for (const { mutant, places } of stale) print(mutant, `STALE: found ${places.length} times in ${mutant.in}`)
  const lanes = availableParallelism() > 1 ? [checkout, copyAgain(checkout)] : [checkout]
  const baseline = await runBaseline(checkout, chosen.map(testOf))
  if (baseline.type !== 'passed') {
    process.stdout.write(`without a mutant the tests do not pass: ${baseline.detail}\n`)
    return 1
  }
  const queue = located.filter((each) => !stale.includes(each)).values()
  const survivors = []
  await Promise.all(
    lanes.map(async (copy) => {
      for (const { mutant, places } of queue) if (!(await tryMutant(copy, mutant, places[0]))) survivors.push(mutant)
    }),
  )
  const alive = survivors.length
  const sum = `${chosen.length} mutants, ${chosen.length - alive - stale.length} killed, ${alive} alive, ${stale.length} stale`
  process.stdout.write(`${sum}\n`)
  return alive + stale.length === 0 ? 0 : 1
}

/** The test that must notice a mutant: all of its rule, or the one that it names. */
function testOf({ rule, by }) {
  return by ?? { file: `test/rules/rule-${rule}.test.ts` }
}

/** Runs all these tests: whole files, then single tests. */
async function runBaseline(copy, tests) {
  const whole = tests.filter(({ name }) => name === undefined)
  const single = tests.filter(({ name }) => name !== undefined)
  for (const some of [whole, single].filter(({ length }) => length > 0)) {
    const end = await runTests(copy, some)
    if (end.type !== 'passed') return end
  }
  return { type: 'passed', detail: '' }
}

/** Whether the test of the rule notices the broken place. */
async function tryMutant(copy, mutant, place) {
  const startedMs = performance.now()
  const whole = readFileSync(join(copy, place.file), 'utf8')
  writeModule(copy, place.file, applyMutant(whole, mutant, place))
  const { type, detail } = await runTests(copy, [testOf(mutant)])
  writeModule(copy, place.file, whole)
  const seconds = `${Math.round((performance.now() - startedMs) / 1000)} s`
  const verdict = { failed: 'killed', passed: 'SURVIVED', broken: 'BROKEN' }[type]
  print(mutant, `${verdict.padEnd(8)} ${seconds.padStart(5)}  ${type === 'passed' ? '' : detail}`)
  return type === 'failed'
}

/** A checkout of its own with the dependencies of this one, built. What is edited meanwhile plays no part. */
function createCopy() {
  const copy = join(directory, 'copy')
  cpSync(ROOT, copy, { recursive: true, filter: (source) => !LEFT_OUT.some((each) => source === join(ROOT, each)) })
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  const { status, stdout } = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'], {
    cwd: copy,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the build failed: ${stdout}`)
  return copy
}

function copyAgain(copy) {
  const again = `${copy}-again`
  cpSync(copy, again, { recursive: true, verbatimSymlinks: true })
  return again
}

/** Writes a module of src and what it compiles to. */
function writeModule(copy, file, text) {
  writeFileSync(join(copy, file), text)
  const { outputText, diagnostics = [] } = ts.transpileModule(text, {
    compilerOptions: COMPILER_OPTIONS,
    fileName: join(copy, file),
    reportDiagnostics: true,
  })
  if (diagnostics.length > 0)
    throw new Error(`${file}: ${ts.flattenDiagnosticMessageText(diagnostics[0].messageText, ' ')}`)
  writeFileSync(join(copy, file.replace(/^src\//, 'dist/').replace(/\.ts$/, '.js')), outputText)
}

/** How these tests end: `passed`, `failed` with the first failure, or `broken` when none could run. */
async function runTests(copy, tests) {
  const report = join(copy, 'vitest.json')
  rmSync(report, { force: true })
  const files = [...new Set(tests.map(({ file }) => file))]
  const names = tests.flatMap(({ name }) => (name === undefined ? [] : [name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')]))
  const chosen = names.length === 0 ? [] : ['-t', names.join('|')]
  const reporting = ['--bail=1', '--reporter=json', `--outputFile=${report}`]
  const args = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...files, ...chosen, ...reporting]
  const child = spawn(process.execPath, args, { cwd: copy, stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr = (stderr + text).slice(-2_000)))
  const timer = setTimeout(() => endGroup(child), TIMEOUT_MS)
  const code = await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  if (code === 0) return { type: 'passed', detail: '' }
  if (code === null) return { type: 'failed', detail: `no end within ${TIMEOUT_MS / 1000} s` }
  const failure = firstFailure(report)
  return failure === undefined ? { type: 'broken', detail: stderr } : { type: 'failed', detail: failure }
}

/** The test process and whatever it has started. */
function endGroup({ pid }) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has just ended by itself.
  }
}

function firstFailure(report) {
  if (!readdirSync(join(report, '..')).includes('vitest.json')) return undefined
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed')
  return failed?.fullName
}

function print({ rule, what }, verdict) {
  process.stdout.write(`rule ${rule}  ${what.padEnd(58)} ${verdict}\n`)
}
