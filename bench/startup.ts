/**
 * `npm run bench -- startup [--runs 15]`: how long `ngit-sync --help` takes against bare node, and which packages it
 * loads for that. Only commander may be among them.
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

import { PROGRAM } from './run-program.ts'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '15' } } })
const runs = Number(values.runs)
const bare: number[] = []
const help: number[] = []
// In turns, so that whatever else the machine does falls on both.
for (let run = 0; run < runs; run += 1) {
  bare.push(timeNode(['-e', '0']))
  help.push(timeNode([PROGRAM, '--help']))
}
const packages = loadedPackages()
process.stdout.write(`bare node    ${median(bare).toFixed(0)} ms (median of ${runs})\n`)
process.stdout.write(`--help       ${median(help).toFixed(0)} ms, ratio ${(median(help) / median(bare)).toFixed(2)}\n`)
process.stdout.write(`packages     ${packages.join(', ')}\n`)
if (packages.some((name) => name !== 'commander')) process.exitCode = 1

function timeNode(args: readonly string[]): number {
  const startedMs = performance.now()
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' })
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}`)
  return performance.now() - startedMs
}

/** Every ES module that the run resolves passes this hook; CommonJS packages enter through one of them. */
function loadedPackages(): string[] {
  const hook = `export const resolve = async (name, context, next) => {
    const found = await next(name, context)
    if (found.url.includes('/node_modules/')) process._rawDebug('loads ' + found.url)
    return found
  }`
  const register = `import { register } from 'node:module'; register(${JSON.stringify(asModule(hook))})`
  const { stderr } = spawnSync(process.execPath, ['--import', asModule(register), PROGRAM, '--help'], {
    encoding: 'utf8',
  })
  const names = stderr.matchAll(/^loads .*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)
  return [...new Set([...names].map(([, name]) => name ?? ''))]
}

function asModule(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
