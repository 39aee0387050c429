import { describe, expect, it } from 'vitest'
import { generateHistory } from '../support/generate.ts'
import { createWorkbench, endArguments, idsOf } from '../support/workbench.ts'

const EVENTS = [...generateHistory({ repositories: 1, rootsPerRepository: 2, commentsPerRoot: 1 })]
const TO_FULL_DISK = ['sh', '-c', 'exec "$@" > /dev/full', 'sh']

describe('standard output that cannot be written', () => {
  it.each([
    ['a report', []],
    ['JSON', ['--json']],
  ])('is one line and exit 1, though the run is done: %s', async (_, args) => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: EVENTS }), bench.scripted()])
    const line = ['catchup', ...endArguments(source, target), ...args]
    const { code, stderr } = await bench.spawn(line, { within: TO_FULL_DISK })
    expect([code, stderr]).toEqual([1, 'error: write to standard output: no space left on the device\n'])
    expect(idsOf(target.events.values())).toEqual(idsOf(EVENTS))
  })

  it.each([[['--help']], [['status', '--json']], [['status', '--parked']]])(
    'is one line and exit 1: %s',
    async (args) => {
      const bench = createWorkbench()
      await bench.run(['catchup', ...endArguments(bench.file('a.jsonl', EVENTS), bench.path('b.jsonl'))])
      const { code, stderr } = await bench.spawn(args, { within: TO_FULL_DISK })
      expect([code, stderr]).toEqual([1, 'error: write to standard output: no space left on the device\n'])
    },
  )

  it('of which nothing is written is no failure', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: EVENTS }), bench.scripted()])
    const line = ['catchup', ...endArguments(source, target), '--quiet']
    const { code, stderr } = await bench.spawn(line, { within: TO_FULL_DISK })
    expect([code, stderr]).toEqual([0, ''])
  })
})

describe('standard error that cannot be written', () => {
  it('does not end the run', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.scripted({ events: EVENTS }), bench.scripted()])
    const within = ['sh', '-c', 'exec "$@" 2> /dev/full', 'sh']
    const { code, stdout } = await bench.spawn(['catchup', ...endArguments(source, target), '--verbose'], { within })
    expect([code, stdout]).toEqual([0, expect.stringContaining('complete (0): ')])
  })
})
