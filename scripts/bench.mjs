// npm run bench -- NAME [--keep] [the bench's own options]: builds and runs one benchmark; without a name it lists them.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const BENCHES = {
  backfill: { shows: 'speed, memory and bytes of copying a generated history', flags: [] },
  copies: { shows: 'check --copies over three relays, by NIP-77 and by paging', flags: [] },
  git: { shows: 'what comparing the git data of many repositories takes', flags: [] },
  latency: { shows: 'a first run and a no-op over many small repositories on relays that are far away', flags: [] },
  pacing: { shows: 'the rate of sending to a relay that takes one event a second', flags: [] },
  peers: { shows: 'the same jobs by strfry sync, nak sync and another build', flags: ['--max-old-space-size=8192'] },
  reconcile: { shows: 'what a full pass costs by NIP-77 and by paging', flags: ['--max-old-space-size=8192'] },
  'reconcile-ids': { shows: 'reconciliation of two sets of ids, without relays', flags: ['--expose-gc'] },
  serve: { shows: 'a relay that takes a lost history from serve: strfry by itself, or a lean one', flags: [] },
  startup: { shows: 'how long --help, status and a no-op take against bare node', flags: [] },
}

const root = fileURLToPath(new URL('..', import.meta.url))
const [name, ...rest] = process.argv.slice(2)
if (name === undefined || !Object.hasOwn(BENCHES, name)) {
  const lines = Object.entries(BENCHES).map(([each, { shows }]) => `  ${each.padEnd(14)} ${shows}\n`)
  const known = `npm run bench -- NAME [--keep] [options of the bench]\n${lines.join('')}`
  ;(name === undefined ? process.stdout : process.stderr).write(known)
  process.exit(name === undefined ? 0 : 2)
}
node(['scripts/setup.mjs'])
node(['node_modules/typescript/bin/tsc', '-p', 'bench'])
const args = rest.filter((word) => word !== '--keep')
const scratch = mkdtempSync(join(tmpdir(), 'ngit-sync-bench-'))
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }))
const figuresFile = join(scratch, 'figures.json')
const machine = describeMachine()
const output = node([...BENCHES[name].flags, `dist-bench/bench/${name}.js`, ...args], { BENCH_FIGURES: figuresFile })
if (rest.includes('--keep')) keep()

/** Runs node and returns what it printed, which is shown too; a failure ends this program with the same code. */
function node(words, env = {}) {
  const { status, stdout } = spawnSync(process.execPath, words, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.stdout.write(stdout ?? '')
  if (status !== 0) process.exit(status ?? 1)
  return stdout
}

/** Before the run: the load is that of others. */
function describeMachine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    kernel: `${type()} ${release()}`,
    loadBefore: loadavg()[0],
  }
}

function keep() {
  const date = new Date().toISOString()
  const git = spawnSync('git', ['describe', '--always', '--dirty'], { cwd: root, encoding: 'utf8' })
  const commit = git.status === 0 ? git.stdout.trim() : 'unknown'
  const figures = existsSync(figuresFile) ? JSON.parse(readFileSync(figuresFile, 'utf8')) : null
  const run = { date, commit, machine, name, args, figures, output: output.trimEnd().split('\n') }
  mkdirSync(`${root}/bench/runs`, { recursive: true })
  const file = `bench/runs/${date.slice(0, 19).replaceAll(':', '')}-${name}.json`
  writeFileSync(`${root}/${file}`, `${JSON.stringify(run, null, 2)}\n`)
  process.stdout.write(`kept in ${file}\n`)
}
