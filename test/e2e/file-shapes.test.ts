import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

import { describe, expect, it } from 'vitest'

import { smallRepository } from '../support/scenes.ts'
import { createWorkbench, endArguments } from '../support/workbench.ts'

const { events } = smallRepository()
const jsonl = events.map((event) => JSON.stringify(event)).join('\n')

describe('a file that is not one event a line (no false green #24)', () => {
  it.each<[string, string, string | Buffer, string]>([
    ['a JSON array on one line', 'a.json', JSON.stringify(events), "is a JSON array: `jq -c '.[]' FILE | ngit-sync"],
    ['a JSON array over many lines', 'a.json', JSON.stringify(events, null, 2), "is a JSON array: `jq -c '.[]' FILE |"],
    ['an array in gzip', 'a.json.gz', gzipSync(JSON.stringify(events)), "`gzip -dc FILE | jq -c '.[]' | ngit-sync"],
    ['several events on a line', 'a.jsonl', jsonl.replaceAll('\n', ''), 'is not one event a line: `jq -c . FILE |'],
    ['events over several lines', 'a.jsonl', JSON.stringify(events[0], null, 2), '`jq -c . FILE | ngit-sync'],
    ['zstd', 'a.zst', Buffer.from('28b52ffd04000000', 'hex'), 'it is compressed with zstd: `zstd -dc FILE | ngit-sync'],
    ['xz', 'a.jsonl', Buffer.from('fd377a585a000000', 'hex'), 'it is compressed with xz: `xz -dc FILE |'],
    ['gzip by another name', 'a.jsonl', gzipSync(jsonl), 'does not end in .gz: `gzip -dc FILE |'],
    ['UTF-16', 'a.jsonl', Buffer.from(`\ufeff${jsonl}`, 'utf16le'), '`iconv -f UTF-16 -t UTF-8 FILE |'],
  ])('is told with the command that helps, and exit 3: %s', async (_what, name, content, advice) => {
    const bench = createWorkbench()
    const file = bench.path(name)
    writeFileSync(file, content)
    const target = await bench.scripted()
    for (const flags of [[], ['--quiet'], ['--json']]) {
      const { code, stdout } = await bench.run(['catchup', ...endArguments(file, target), ...flags])
      const told = flags.includes('--json') ? JSON.stringify(JSON.parse(stdout)) : stdout.replaceAll(/\s+/g, ' ')
      expect([code, told]).toEqual([3, expect.stringContaining(advice.replace('FILE', file))])
    }
  })

  it('gives no advice for a torn line', async () => {
    const bench = createWorkbench()
    const [file, target] = [bench.file('a.jsonl', [...events, '{"id":"12']), await bench.scripted()]
    const { code, stdout } = await bench.run(['catchup', ...endArguments(file, target)])
    expect(code).toBe(3)
    expect(stdout).not.toContain('jq')
  })
})
