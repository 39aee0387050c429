import { describe, expect, it } from 'vitest'

import { smallRepository } from '../support/scenes.ts'
import { runCli, type CliResult } from '../support/run-cli.ts'
import { waitFor } from '../support/wait-for.ts'
import { createWorkbench, endArguments } from '../support/workbench.ts'

const { events } = smallRepository()

/** Makes node load this module before the program. */
function preload(code: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import ${asModule(code)}` }
}

function asModule(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`
}

const RESOLVE = `export const resolve = async (name, context, next) => {
  const found = await next(name, context)
  process._rawDebug('loads ' + found.url)
  return found
}`

/** Writes a line for every ES module, and at the end for every CommonJS module. */
const NAME_MODULES = preload(`
  import { createRequire, register } from 'node:module'
  register(${JSON.stringify(asModule(RESOLVE))})
  process.on('exit', () => {
    for (const path of Object.keys(createRequire('file:///').cache)) process._rawDebug('loads ' + path)
  })`)

const NAME_THREADS = preload(`process.on('worker', () => process._rawDebug('starts a thread'))`)

/** Writes a line when a wait for a relay, of about the grace, starts, and when it ends. */
const NAME_GRACES = preload(`
  const { setTimeout } = globalThis
  globalThis.setTimeout = (act, ms, ...rest) => {
    const isGrace = ms > 100 && ms <= 500 && new Error().stack.includes('/pace/backoff.js')
    if (!isGrace) return setTimeout(act, ms, ...rest)
    process._rawDebug('grace starts')
    return setTimeout(() => { process._rawDebug('grace ends'); act() }, ms, ...rest)
  }`)

function packagesOf({ code, stderr }: CliResult): string[] {
  expect(code).toBe(0)
  const names = stderr.matchAll(/^loads .*\/node_modules\/((?:@[^/]+\/)?[^/\n]+)\//gm)
  return [...new Set([...names].map(([, name]) => name ?? ''))].filter((name) => name !== 'ngit-sync')
}

/** A catch-up with nothing to do, soon after complete ones, to a target with NIP-77, in a process of its own. */
async function repeatCatchup(env: Readonly<Record<string, string>>): Promise<CliResult> {
  const bench = createWorkbench()
  const source = await bench.scripted({ events })
  const target = await bench.scripted({ negentropy: true })
  expect((await bench.catchup(source, target)).report.totals.published).toBe(events.length)
  // Learns what the target holds now.
  await bench.catchup(source, target)
  return bench.spawn(['catchup', ...endArguments(source, target), '--quiet'], { env })
}

describe('the start', () => {
  it.each(['--help', '--version', 'catchup --help', 'help status'])('loads commander only for %s', async (line) => {
    expect(packagesOf(await runCli(line.split(' '), { env: NAME_MODULES }))).toEqual(['commander'])
  })

  it.each(['--help', 'status --help'])('sets no flag of V8 for %s before all is loaded', async (line) => {
    const { stderr } = await runCli(line.split(' '), { env: NAME_MODULES })
    const [before] = stderr.split('/dist/cli/parse/program.js')
    expect(before).toContain('/dist/cli/main.js')
    expect(before).not.toContain('loads node:v8')
  })

  it('reads no configuration file for the help, and the parser of YAML only where there is one', async () => {
    const bench = createWorkbench()
    const env = { ...NAME_MODULES, NGIT_SYNC_CONFIG: bench.file('config.yaml', ['defaults: { json: true }']) }
    expect(packagesOf(await runCli(['catchup', '--help'], { env }))).toEqual(['commander'])
    expect(packagesOf(await runCli(['config'], { env }))).toContain('yaml')
    expect(packagesOf(await runCli(['config'], { env: NAME_MODULES }))).not.toContain('yaml')
  })

  it('loads neither options nor errors nor names for the help', async () => {
    const { stderr } = await runCli(['--help'], { env: NAME_MODULES })
    expect(stderr).toContain('/dist/cli/parse/program.js')
    expect(stderr).not.toMatch(/dist\/(?:cli\/parse\/options|cli\/render|nostr|relay|store|scope|sync)/)
  })

  it('loads the database beside commander for a status, and nothing for sockets, names or signatures', async () => {
    const bench = createWorkbench()
    await bench.catchup(await bench.scripted({ events }), await bench.scripted())
    const packages = packagesOf(await bench.spawn(['status'], { env: NAME_MODULES }))
    expect(packages).toEqual(expect.arrayContaining(['commander', expect.stringContaining('better-sqlite3')]))
    expect(packages.filter((name) => /ws|nostr|secp256k1|ora/.test(name))).toEqual([])
  })

  it('loads no renderer for a quiet run that ends well, and no file code for relays', async () => {
    const { code, stderr } = await repeatCatchup(NAME_MODULES)
    expect([code, stderr.includes('/dist/sync.js')]).toEqual([0, true])
    expect(stderr).not.toMatch(/dist\/(?:cli\/render\/render-table|file\/file-endpoint)|\/ora\//)
    expect(stderr).not.toMatch(/dist\/cli\/(?:monitor\/|render\/render-verdict)|\/prom-client\//)
    expect(stderr).not.toMatch(
      /dist\/(?:serve\/|repair\/check-git|repair\/repair-git|check\/count-copies|git\/(?!ref-name))/,
    )
  })
})

describe('a quick catch-up with nothing to do', () => {
  it('starts no thread: no signature is checked', async () => {
    const { code, stderr } = await repeatCatchup(NAME_THREADS)
    expect([code, stderr]).toEqual([0, ''])
  })

  it('waits for the ends of all relays at once', async () => {
    const { code, stderr } = await repeatCatchup(NAME_GRACES)
    const lines = stderr.trimEnd().split('\n')
    expect([code, lines[0]]).toEqual([0, 'grace starts'])
    expect(lines.lastIndexOf('grace starts')).toBeLessThan(lines.indexOf('grace ends'))
  })
})

describe('a run', () => {
  it('opens all its relays at once, and fetches their documents meanwhile', async () => {
    const bench = createWorkbench()
    const relays = await Promise.all([1, 2, 3].map(() => bench.scripted({ connections: 'hang' })))
    const [source, other, target] = relays
    if (source === undefined || other === undefined || target === undefined) throw new Error('too few relays')
    const run = bench.start(['catchup', ...endArguments([source, other], target)])
    const haveAllBeenAsked = (): boolean => relays.every(({ received }) => received.documents === 1)
    await waitFor(haveAllBeenAsked, { timeoutMs: 8_000, what: 'a request for each document' })
    run.kill('SIGINT')
    expect((await run.finished).code).toBe(130)
  })
})
