import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { startCountingProxy } from './counting-proxy.ts'
import { measureCommand, type MeasuredCommand } from './measure-command.ts'
import type { Holding, PeerRelay, PeerRelays } from './peer-relays.ts'
import { OWN_PROGRAM } from './run-program.ts'
import { countStrfryStore } from './strfry.ts'

/** What is to be done: from a relay that holds everything to one that holds less. */
export type Job = {
  readonly name: string
  /** What the target holds before. */
  readonly target: Holding
  /**
   * Whether both ends are known from an earlier run, when the source held what the target holds, and the bytes are
   * counted. The first copy goes without a proxy, which would take its part of the processors.
   */
  readonly isRepeated: boolean
}

/** What a contestant did and what it cost. */
export type Outcome = {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly mainThreadSeconds: number
  readonly peakBytes: number
  /** `killed`: at the limit of time. */
  readonly exit: number | 'killed'
  /** Events at the target afterwards. */
  readonly held: number
  /** At the sockets of both relays, both ways together; absent when they were not counted. */
  readonly bytes?: number
}

/** A program that can do the jobs. */
export type Contestant = { readonly name: string; readonly version: string; run(job: Job): Promise<Outcome> }

/** Where the contestants meet. */
export type Arena = {
  readonly relays: PeerRelays
  /** Hold everything, and everything but the newest. */
  readonly sources: Readonly<Record<'everything' | 'older', PeerRelay>>
  readonly directory: string
  readonly limitMs: number
}

/** A build of ngit-sync, and where its packages are looked for besides. */
export type Build = { readonly program?: string; readonly packages?: string }

/** `ngit-sync` of a build: `backfill` without a state for the first copy, else `catchup --full` with the state. */
export function createNgitSync({ directory, ...arena }: Arena, name: string, build: Build = {}): Contestant {
  const { program = OWN_PROGRAM, packages } = build
  const env = packages === undefined ? process.env : { ...process.env, NODE_PATH: packages }
  const version = spawnSync(process.execPath, [program, '--version'], { encoding: 'utf8' }).stdout.trim()
  const run = async (
    ends: Ends,
    state: string,
    [command = '', ...options]: readonly string[],
  ): Promise<MeasuredCommand> => {
    const words = ['--source', ends.source, '--target', ends.target, '--scope', 'all', '--state', state, '--quiet']
    return measureCommand([process.execPath, program, command, ...words, ...options], arena.limitMs, env)
  }
  return {
    name,
    version,
    async run(job) {
      const stateDirectory = mkdtempSync(join(directory, 'state-'))
      const state = join(stateDirectory, 'state.db')
      const measured = job.isRepeated ? ['catchup', '--full'] : ['backfill', '--since', '2020-01-01']
      try {
        return await betweenRelays(arena, job, {
          before: (ends) => run(ends, state, ['catchup']),
          measure: (ends) => run(ends, state, measured),
        })
      } finally {
        rmSync(stateDirectory, { recursive: true, force: true })
      }
    },
  }
}

/** `nak sync` from one relay to the other. */
export function createNakSync(arena: Arena, nak: string): Contestant {
  const version = spawnSync(nak, ['--version'], { encoding: 'utf8' }).stdout.trim()
  const measure = ({ source, target }: Ends): Promise<MeasuredCommand> =>
    measureCommand([nak, 'sync', source, target], arena.limitMs)
  return { name: 'nak sync', version, run: (job) => betweenRelays(arena, job, { measure }) }
}

/** `strfry sync` into its own database, which no relay has open; the relays must be strfry. */
export function createStrfrySync(arena: Arena, strfry: string): Contestant {
  const { relays, sources, limitMs } = arena
  return {
    name: 'strfry sync',
    version: relays.software,
    async run(job) {
      const store = await relays.openStore?.(job.target)
      if (store === undefined) throw new Error(`${relays.software} has no database of its own`)
      const source = await (job.isRepeated ? startCountingProxy(sources.everything.url) : sources.everything)
      try {
        const words = [strfry, `--config=${store.config}`, 'sync', source.url, '--dir=down']
        const measured = await measureCommand(words, limitMs)
        const bytes = 'takeBytes' in source ? { bytes: source.takeBytes() } : {}
        return { ...describe(measured), held: countStrfryStore(strfry, store), ...bytes }
      } finally {
        if ('takeBytes' in source) await source.close()
        rmSync(store.directory, { recursive: true, force: true })
      }
    },
  }
}

type Ends = { readonly source: string; readonly target: string }

type Runs = {
  /** Unmeasured, while the source holds what the target does. */
  before?(ends: Ends): Promise<MeasuredCommand>
  measure(ends: Ends): Promise<MeasuredCommand>
}

async function betweenRelays(
  { relays, sources }: Pick<Arena, 'relays' | 'sources'>,
  job: Job,
  runs: Runs,
): Promise<Outcome> {
  const target = await relays.start(job.target)
  const ends = { source: sources.everything.url, target: target.url }
  try {
    if (!job.isRepeated) return { ...describe(await runs.measure(ends)), held: await target.count() }
    const former = job.target === 'older' ? sources.older.url : ends.source
    return { ...(await repeat(former, ends, runs)), held: await target.count() }
  } finally {
    await target.close()
  }
}

/** Once unmeasured from the former source, then measured from the source of today under the same URL. */
async function repeat(former: string, ends: Ends, { before, measure }: Runs): Promise<Omit<Outcome, 'held'>> {
  const [source, target] = await Promise.all([startCountingProxy(former), startCountingProxy(ends.target)])
  const proxied = { source: source.url, target: target.url }
  try {
    const known = await before?.(proxied)
    if (known !== undefined && known.code !== 0)
      throw new Error(`the run before ended with ${known.code ?? 'a signal'}: ${known.stderr}`)
    source.forward(ends.source)
    for (const proxy of [source, target]) proxy.takeBytes()
    const measured = await measure(proxied)
    return { ...describe(measured), bytes: source.takeBytes() + target.takeBytes() }
  } finally {
    await Promise.all([source.close(), target.close()])
  }
}

function describe({ ms, cpuMs, mainThreadMs, peakBytes, code }: MeasuredCommand): Omit<Outcome, 'held'> {
  return {
    seconds: ms / 1000,
    cpuSeconds: cpuMs / 1000,
    mainThreadSeconds: mainThreadMs / 1000,
    peakBytes,
    exit: code ?? 'killed',
  }
}
