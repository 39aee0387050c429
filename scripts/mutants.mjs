// `npm run test:mutants [rule…]`: breaks each rule of design.md in one line of src and expects that rule's test to fail.
//
// Works on copies of the checkout in a temporary directory. First the unbroken copy must pass; then each mutant is
// written, the one module rebuilt, and only the test of its rule run. Exit 1: a mutant survived, a search text is no
// longer found exactly once, or something else than a test failed.
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import ts from 'typescript'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const LEFT_OUT = ['node_modules', '.git', 'dist-bench', 'coverage']
const TIMEOUT_MS = 600_000

/** One broken line: in `file` the text `from`, which stands there exactly once, becomes `to`. */
const MUTANTS = [
  {
    rule: 1,
    what: 'a timeout counts as the end of a page',
    file: 'src/relay/paging.ts',
    from: "if (end.type !== 'eose') return `${describeEnd(end)} on page ${page}`",
    to: "if (end.type !== 'eose' && end.type !== 'idle') return `${describeEnd(end)} on page ${page}`",
  },
  {
    rule: 1,
    what: 'an empty page at the boundary is the bottom',
    file: 'src/relay/paging.ts',
    from: 'if (rowCount === 0 && isBelowAll) return gap',
    to: 'if (rowCount === 0) return gap',
  },
  {
    rule: 1,
    what: 'a page shorter than its limit is the end',
    file: 'src/relay/paging.ts',
    from: 'if (rowCount === 0 && isBelowAll) return gap',
    to: 'if (rowCount < context.limit) return gap',
  },
  {
    rule: 1,
    what: 'an open second is no gap',
    file: 'src/relay/paging.ts',
    from: 'gap = (await closeSecond(filter, oldest, rowCount, read, context)) ?? gap',
    to: 'gap = ((await closeSecond(filter, oldest, rowCount, read, context)), gap)',
  },
  {
    rule: 1,
    what: 'a filter that stayed open is noted as drained',
    file: 'src/store/coverage.ts',
    from: 'update.run(found.drained ? 0 : 1,',
    to: 'update.run(0,',
  },
  {
    rule: 1,
    what: 'exit 0 although a source was not read to its end',
    file: 'src/build-report.ts',
    from: 'if (!isRead) return 3',
    to: '',
  },
  {
    rule: 2,
    what: 'checkpoints move before anything is selected',
    file: 'src/sync.ts',
    from: 'await readLayers(run.reading)',
    to: 'await readLayers(run.reading).then(() => moveCheckpoints(run))',
  },
  {
    rule: 2,
    what: 'checkpoints move although the run was cut short',
    file: 'src/sync.ts',
    from: 'if (!run.wasCutShort) moveCheckpoints(run)',
    to: 'moveCheckpoints(run)',
  },
  {
    rule: 2,
    what: 'parked events are forgotten by the next run',
    file: 'src/store/spool.ts',
    from: "state IN ('candidate', 'outside')`",
    to: "state IN ('candidate', 'outside', 'parked')`",
  },
  {
    rule: 2,
    what: 'a full spool stops one filter only',
    file: 'src/intake.ts',
    from: 'state.coverage.freeze()',
    to: '',
  },
  {
    rule: 3,
    what: 'the checkpoint of any source is believed',
    file: 'src/store/coverage.ts',
    from: 'WHERE target = ? AND source = ? AND layer = ? AND anchor = ? AND version = ?`',
    to: 'WHERE target = ? AND source <> ? AND layer = ? AND anchor = ? AND version = ?`',
  },
  {
    rule: 3,
    what: '--since applies to what the target does not hold',
    file: 'src/plan.ts',
    from: "return held ? { mode: 'since'",
    to: "return true ? { mode: 'since'",
  },
  {
    rule: 3,
    what: '--since creates coverage',
    file: 'src/checkpoint.ts',
    from: 'if (before === undefined || read.since === undefined) return undefined',
    to: 'if (before === undefined || read.since === undefined) return { drainedAt: run.startedAt, fullAt: run.startedAt }',
  },
  {
    rule: 3,
    what: 'a checkpoint in the future is believed',
    file: 'src/plan.ts',
    from: 'if (coverage === undefined || isInFuture(coverage, policy)) return everything',
    to: 'if (coverage === undefined) return everything',
  },
  {
    rule: 3,
    what: 'coverage is believed although the target lost events',
    file: 'src/sync.ts',
    from: 'coverage.void()',
    to: '',
  },
  {
    rule: 4,
    what: 'a forged event counts as seen',
    file: 'src/intake.ts',
    from: "ledger.count(layer, 'invalid')",
    to: "ledger.count(layer, 'invalid'); state.run.markSeen(event, layer)",
  },
  {
    rule: 4,
    what: 'nothing is verified',
    file: 'src/intake.ts',
    from: "if (verdict === 'valid') {",
    to: "if (verdict !== 'never') {",
  },
  {
    rule: 4,
    what: 'deletions are believed unverified',
    file: 'src/deletions.ts',
    from: "if (verdicts[index] === 'valid') recordDeletion(event, state.run)",
    to: 'recordDeletion(event, state.run)',
  },
  {
    rule: 4,
    what: 'on the next page an id is enough to pass over a row',
    file: 'src/relay/paging.ts',
    from: 'return event.id + event.sig',
    to: 'return event.id',
  },
  {
    rule: 5,
    what: 'refusals are not reported',
    file: 'src/build-report.ts',
    from: "for (const group of [...spool.groups('parked'), ...refused]) {",
    to: "for (const group of [...spool.groups('parked')]) {",
  },
  {
    rule: 5,
    what: 'only the first reason is kept',
    file: 'src/ledger.ts',
    from: 'JSON.stringify([problem.what, problem.where, problem.reason])',
    to: 'JSON.stringify([problem.what, problem.where])',
  },
  {
    rule: 5,
    what: 'why a source was not read is not reported',
    file: 'src/build-report.ts',
    from: "ledger.problem({ what: 'source', where, reason: place, count: Math.max(1, filters), example: null })",
    to: '',
  },
  {
    rule: 5,
    what: 'a NOTICE is forgotten',
    file: 'src/relay/websocket-relay.ts',
    from: 'this.#notices.add(text)',
    to: '',
  },
  {
    rule: 6,
    what: 'what the target serves is spooled all the same',
    file: 'src/intake.ts',
    from: 'const lacking = wanted.filter((event) => !served.has(event.id))',
    to: 'const lacking = wanted',
  },
  {
    rule: 6,
    what: 'versions that the target has are sent again',
    file: 'src/select.ts',
    from: "if (served?.id === event.id) held.set(event.id, 'held')",
    to: 'if (served?.id === event.id) continue',
  },
  {
    rule: 6,
    what: 'versions older than those of the target are sent',
    file: 'src/select.ts',
    from: "else if (served !== undefined && isNewerVersion(served, event)) held.set(event.id, 'superseded')",
    to: '',
  },
  {
    rule: 7,
    what: 'texts are printed as they came',
    file: 'src/cli/escape.ts',
    from: 'const escaped = considered.replaceAll(UNSAFE, escapeCharacter)',
    to: 'const escaped = considered',
  },
  {
    rule: 7,
    what: 'zero-width and bidi characters are printed',
    file: 'src/cli/escape.ts',
    from: '\\p{Default_Ignorable_Code_Point}',
    to: '',
  },
  {
    rule: 7,
    what: 'JSON holds what JSON allows',
    file: 'src/cli/render-json.ts',
    from: '.replaceAll(UNSAFE, escapeUnits)',
    to: '',
  },
  {
    rule: 8,
    what: 'what was fetched stays in memory',
    file: 'src/intake.ts',
    from: "context.ledger.count(layer, 'fetched', events.length)",
    to: "context.ledger.count(layer, 'fetched', events.length); (globalThis.kept ??= []).push(events)",
  },
  {
    rule: 8,
    what: 'the spool is read at once',
    file: 'src/store/spool.ts',
    from: 'ORDER BY stage, level, created_at, id LIMIT @size`',
    to: 'ORDER BY stage, level, created_at, id LIMIT @size * 1000`',
  },
  {
    rule: 9,
    what: 'a source may send without end',
    file: 'src/fetch.ts',
    from: 'if (budget.bytesLeft <= 0) {',
    to: 'if (budget.bytesLeft === null) {',
  },
  {
    rule: 9,
    what: 'everybody may read the state file',
    file: 'src/store/state-file.ts',
    from: "closeSync(openSync(file, 'a', 0o600))\n  chmodSync(file, 0o600)",
    to: "closeSync(openSync(file, 'a', 0o644))",
  },
  {
    rule: 9,
    what: 'a page has no end',
    file: 'src/relay/page.ts',
    from: 'if (this.#rows.length >= maxPageRows)',
    to: 'if (maxPageRows === 0)',
  },
  {
    rule: 9,
    what: 'rounds go on without end',
    file: 'src/reading.ts',
    from: 'if (round > MAX_ROUNDS) return logTooManyRounds(context)',
    to: 'if (round > MAX_ROUNDS) return',
  },
  {
    rule: 9,
    what: 'redirects of the NIP-11 document are followed',
    file: 'src/relay/relay-document.ts',
    from: "redirect: 'manual'",
    to: "redirect: 'follow'",
  },
  {
    rule: 9,
    what: 'the spool is never full',
    file: 'src/intake.ts',
    from: 'if (state.spool.isFull()) {',
    to: 'if (state.spool.count("ready") < 0) {',
  },
]

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
process.exitCode = await main(process.argv.slice(2).map(Number))

/** Runs the mutants of these rules, of all when none is named. Returns the exit code. */
async function main(rules) {
  const chosen = MUTANTS.filter(({ rule }) => rules.length === 0 || rules.includes(rule))
  const checkout = createCopy()
  const stale = chosen.filter((mutant) => countMatches(checkout, mutant) !== 1)
  for (const mutant of stale) print(mutant, `STALE: found ${countMatches(checkout, mutant)} times in ${mutant.file}`)
  const lanes = availableParallelism() > 1 ? [checkout, copyAgain(checkout)] : [checkout]
  const baseline = await runTests(checkout, [...new Set(chosen.map(({ rule }) => rule))])
  if (baseline.type !== 'passed') {
    process.stdout.write(`without a mutant the tests do not pass: ${baseline.detail}\n`)
    return 1
  }
  const queue = chosen.filter((mutant) => !stale.includes(mutant)).values()
  let alive = 0
  await Promise.all(
    lanes.map(async (copy) => {
      for (const mutant of queue) alive += (await tryMutant(copy, mutant)) ? 0 : 1
    }),
  )
  const sum = `${chosen.length} mutants, ${chosen.length - alive - stale.length} killed, ${alive} alive, ${stale.length} stale`
  process.stdout.write(`${sum}\n`)
  return alive + stale.length === 0 ? 0 : 1
}

/** Whether the test of the rule notices the broken line. */
async function tryMutant(copy, mutant) {
  const startedMs = performance.now()
  const whole = readFileSync(join(copy, mutant.file), 'utf8')
  writeModule(
    copy,
    mutant.file,
    whole.replace(mutant.from, () => mutant.to),
  )
  const { type, detail } = await runTests(copy, [mutant.rule])
  writeModule(copy, mutant.file, whole)
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

/** How the tests of these rules end: `passed`, `failed` with the first failure, or `broken` when none could run. */
async function runTests(copy, rules) {
  const report = join(copy, 'vitest.json')
  rmSync(report, { force: true })
  const files = rules.map((rule) => `test/rules/rule-${rule}.test.ts`)
  const reporting = ['--bail=1', '--reporter=json', `--outputFile=${report}`]
  const args = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...files, ...reporting]
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

function countMatches(copy, { file, from }) {
  return readFileSync(join(copy, file), 'utf8').split(from).length - 1
}

function print({ rule, what }, verdict) {
  process.stdout.write(`rule ${rule}  ${what.padEnd(58)} ${verdict}\n`)
}
