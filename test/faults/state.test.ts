import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { createRandom, generateHistory } from '../support/generate.ts'
import { runCli, type CliResult } from '../support/run-cli.ts'
import { createWorkbench, endArguments, idsOf, type Workbench } from '../support/workbench.ts'

/*
 * What happens to the state file. Two runs at once, files of newer versions and places below a file are in
 * test/e2e/state.test.ts and test/store/state-file.test.ts.
 */

const history = [...generateHistory({ repositories: 8, rootsPerRepository: 5 })]
const SEED = Number(process.env['FAULTS_SEED'] ?? 1)

/** No file that the program writes may grow beyond this: writes fail with EFBIG, as over a quota. */
function fileLimit(kibibytes: number): string[] {
  return ['bash', '-c', `ulimit -f ${kibibytes}; exec "$@"`, 'bash']
}

/** The file system of `directory` is one of its own while the program runs. Needs no root where namespaces are free. */
function mounted(directory: string, script: string): string[] {
  return [
    'unshare',
    '-rm',
    'bash',
    '-c',
    `cd '${directory}' && mount -t tmpfs -o size=600k none . && ${script}`,
    'bash',
  ]
}

const hasNamespaces = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0

async function startScene(bench: Workbench) {
  const [source, target] = await Promise.all([bench.scripted({ events: history }), bench.scripted()])
  return { source, target, args: ['catchup', ...endArguments(source, target)] }
}

describe('a disk without room', () => {
  it.each([8, 60, 150, 400, 800])(
    'for more than %i KiB a file ends the run with 1; with room, the next run completes',
    async (kibibytes) => {
      const bench = createWorkbench()
      const { source, target, args } = await startScene(bench)
      const full = await bench.spawn(args, { within: fileLimit(kibibytes) })
      expect([full.code, full.stdout]).toEqual([1, ''])
      expect(full.stderr).toMatch(
        new RegExp(`^error: \\w+ (state|ws://\\S+ in) ${bench.path('')}\\S+: disk I/O error\n`),
      )
      expect(full.stderr).toMatch(/^hint: .*(full|writable)/m)
      const held = idsOf(target.events.values())
      target.forgetReceived()
      const { code } = await bench.catchup(source, target)
      expect([code, idsOf(target.events.values())]).toEqual([0, idsOf(history)])
      expect(held.filter((id) => target.countSends(id) > 0)).toEqual([])
    },
  )

  it('is told by its name, and the next run goes on when there is room', async ({ skip }) => {
    if (!hasNamespaces) skip('this machine lets nobody mount')
    const bench = createWorkbench()
    const { target, args } = await startScene(bench)
    const directory = bench.path('disk')
    mkdirSync(directory)
    const script = `"$@"; echo "exit $?" >&2; mount -o remount,size=64m . && exec "$@"`
    const { code, stderr } = await runCli([...args, '--state', `${directory}/state.db`], {
      within: mounted(directory, script),
    })
    expect(stderr).toContain(`error: use state ${directory}/state.db: database or disk is full\n`)
    expect(stderr).toMatch(/hint: free some space on that disk.*\nexit 1\n/)
    expect([code, idsOf(target.events.values())]).toEqual([0, idsOf(history)])
  })
})

describe('a directory that cannot be written', () => {
  it.each(['/proc/ngit-sync/state.db', '/dev/null/state.db'])('as in %s, is named: exit 1', async (file) => {
    const bench = createWorkbench()
    const { target, args } = await startScene(bench)
    const { code, stdout, stderr } = await runCli([...args, '--state', file])
    expect([code, stdout, target.received.events]).toEqual([1, '', []])
    expect(stderr).toMatch(new RegExp(`^error: .*${file.replace('/state.db', '')}`))
    expect(stderr).toMatch(/^hint: .*writable/m)
  })

  it('because its file system is read-only is named: exit 1', async ({ skip }) => {
    if (!hasNamespaces) skip('this machine lets nobody mount')
    const bench = createWorkbench()
    const { target, args } = await startScene(bench)
    const directory = bench.path('disk')
    mkdirSync(directory)
    const { code, stdout, stderr } = await runCli([...args, '--state', `${directory}/state.db`], {
      within: mounted(directory, 'mount -o remount,ro . && exec "$@"'),
    })
    expect([code, stdout, target.received.events]).toEqual([1, '', []])
    expect(stderr).toMatch(new RegExp(`^error: .*${directory}.*(EROFS|read-only)`))
    expect(stderr).toMatch(/^hint: .*writable/m)
  })
})

describe(`a damaged state file, seed ${SEED}`, () => {
  const random = createRandom(SEED)
  it.for(Array.from({ length: 8 }, (_, index) => ({ number: index + 1, isCut: random() < 0.5, at: random() })))(
    '$number: it is named, with the way out, and left as it is; or it harms nothing',
    async ({ isCut, at }, { task }) => {
      const bench = createWorkbench()
      const { source, target } = await startScene(bench)
      await bench.catchup(source, target)
      damage(bench.stateFile, isCut, at)
      const damaged = readFileSync(bench.stateFile)
      const outcome = await bench.catchup(source, target, '--full')
      task.meta.figure = `${isCut ? 'cut off' : 'a page wiped'} at ${at.toFixed(2)}: exit ${outcome.code}`
      if (outcome.code === 1) expectNamed(outcome, bench, damaged)
      expect([0, 1]).toContain(outcome.code)
      expect(idsOf(target.events.values())).toEqual(idsOf(history))
    },
  )
})

/** Cuts the file off, or wipes one of its pages. */
function damage(file: string, isCut: boolean, at: number): void {
  const { size } = statSync(file)
  if (isCut) return truncateSync(file, Math.floor(at * size))
  const bytes = readFileSync(file)
  const page = Math.floor((at * size) / 4_096) * 4_096
  writeFileSync(file, bytes.fill(0xff, page, page + 4_096))
}

function expectNamed({ stdout, stderr }: CliResult, bench: Workbench, damaged: Buffer): void {
  expect(JSON.parse(stdout)).toMatchObject({ exit: 1 })
  expect(stderr).toMatch(new RegExp(`^error: read state ${bench.stateFile}: .*\\nhint: move `))
  expect(readFileSync(bench.stateFile).equals(damaged)).toBe(true)
}

describe('one state directory', () => {
  it('serves several targets at a time, each with its own checkpoints', async () => {
    const bench = createWorkbench()
    const { source } = await startScene(bench)
    const targets = await Promise.all([1, 2, 3].map(() => bench.scripted()))
    const outcomes = await Promise.all(targets.map((target) => bench.catchup(source, target)))
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0])
    for (const target of targets) {
      expect(idsOf(target.events.values())).toEqual(idsOf(history))
      const anchors = bench.checkpoints().filter((row) => row.target === target.url)
      // The scope, an announcement and a state for each repository, and the roots.
      expect(anchors).toHaveLength(1 + 2 * 8 + 8 * 5)
    }
  })
})
