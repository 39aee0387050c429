import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, it, onTestFinished } from 'vitest'

import { createReportLists, type OpenLists } from '../../src/cli/report-lists.ts'
import { temporaryDirectory } from '../support/temporary-state.ts'

const MEGABYTE = 1_000_000

function openLists(directory: string): OpenLists {
  const lists = createReportLists(directory)
  onTestFinished(() => lists.close())
  return lists
}

describe('the lists of a report', () => {
  it.each([0, 1, 499, 500, 501, 1_234])('give back what was added, in its order, as often as wanted: %i', (count) => {
    const lists = openLists(tmpdir())
    const [ids, others] = [lists.create<string>(), lists.create<{ readonly number: number }>()]
    const added = Array.from({ length: count }, (_, number) => `id ${number}`)
    for (const id of added) ids.add(id)
    others.add({ number: 1 })
    expect([[...ids], [...ids], [...others]]).toEqual([added, added, [{ number: 1 }]])
    ids.add('one more')
    expect([...ids]).toEqual([...added, 'one more'])
  })

  it.skipIf(process.platform === 'win32')('make no file that is seen, and none at all unless there is a list', () => {
    const directory = temporaryDirectory()
    const lists = openLists(directory)
    expect(readdirSync(directory)).toEqual([])
    lists.create<string>().add('id')
    expect(readdirSync(directory)).toEqual([])
    expect(() => openLists(join(directory, 'none')).create()).toThrow('create a temporary index in')
  })

  it('are never in memory as a whole, nor when they are printed', async () => {
    // A process of its own: nothing else that happens here counts.
    const built = (file: string): string => JSON.stringify(new URL(`../../dist/cli/${file}`, import.meta.url))
    const program = `
      import { Writable } from 'node:stream'
      import { tmpdir } from 'node:os'
      import { createReportLists } from ${built('report-lists.js')}
      import { jsonPieces } from ${built('render/render-json.js')}
      import { writePieces } from ${built('write-output.js')}
      let [most, bytes] = [0, 0]
      const used = () => {
        gc()
        const { heapUsed, external } = process.memoryUsage()
        return heapUsed + external
      }
      const output = new Writable({
        write(text, _, done) {
          bytes += text.length
          if (bytes % 5_000_000 < text.length) most = Math.max(most, used())
          done()
        },
      })
      const lists = createReportLists(tmpdir())
      const ids = lists.create()
      const before = used()
      for (let number = 0; number < 300_000; number += 1) ids.add(number.toString(16).padStart(64, '0'))
      await writePieces(output, jsonPieces({ version: 1, check: { ids } }))
      console.log(JSON.stringify({ bytes, grown: most - before }))
      lists.close()`
    const args = ['--expose-gc', '--input-type=module', '--eval', program]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { bytes, grown } = JSON.parse(stdout) as { bytes: number; grown: number }
    expect(bytes).toBeGreaterThan(20 * MEGABYTE)
    expect(grown).toBeLessThan(5 * MEGABYTE)
  })
})
