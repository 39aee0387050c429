// npm run bench -- NAME [--keep] [the bench's own options]: builds and runs one benchmark; without a name it lists them.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

const BENCHES = {
  backfill: { shows: 'speed, memory and bytes of copying a generated history', flags: [] },
  pacing: { shows: 'the rate of sending to a relay that takes one event a second', flags: [] },
  reconcile: { shows: 'what a full pass costs by NIP-77 and by paging', flags: ['--max-old-space-size=8192'] },
  'reconcile-ids': { shows: 'reconciliation of two sets of ids, without relays', flags: ['--expose-gc'] },
  startup: { shows: 'how long --help takes against bare node', flags: [] },
}

const root = fileURLToPath(new URL('..', import.meta.url))
const [name, ...rest] = process.argv.slice(2)
if (name === undefined || !Object.hasOwn(BENCHES, name)) {
  const lines = Object.entries(BENCHES).map(([each, { shows }]) => `  ${each.padEnd(14)} ${shows}\n`)
  const known = `npm run bench -- NAME [--keep] [options of the bench]\n${lines.join('')}`
  ;(name === undefined ? process.stdout : process.stderr).write(known)
  process.exit(name === undefined ? 0 : 2)
}
node('scripts/setup.mjs')
node('node_modules/typescript/bin/tsc', '-p', 'bench')
const args = rest.filter((word) => word !== '--keep')
const output = node(...BENCHES[name].flags, `dist-bench/bench/${name}.js`, ...args)
if (rest.includes('--keep')) keep({ name, args, output })

/** Runs node and returns what it printed, which is shown too; a failure ends this program with the same code. */
function node(...words) {
  const { status, stdout } = spawnSync(process.execPath, words, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.stdout.write(stdout ?? '')
  if (status !== 0) process.exit(status ?? 1)
  return stdout
}

function keep({ name, args, output }) {
  const date = new Date().toISOString()
  const cpu = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`
  const run = { date, node: process.version, cpu, name, args, output: output.trimEnd().split('\n') }
  mkdirSync(`${root}/bench/runs`, { recursive: true })
  const file = `bench/runs/${date.slice(0, 19).replaceAll(':', '')}-${name}.json`
  writeFileSync(`${root}/${file}`, `${JSON.stringify(run, null, 2)}\n`)
  process.stdout.write(`kept in ${file}\n`)
}
