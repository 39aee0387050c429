import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { toolVersion } from '../../src/cli/tool-version.ts'
import { failureSchema } from '../support/report-schema.ts'
import { tagsOf } from '../support/html-tags.ts'
import { smallRepository } from '../support/scenes.ts'
import { waitFor } from '../support/wait-for.ts'
import { createWorkbench, endArguments } from '../support/workbench.ts'

const mine = smallRepository({ d: '<script>alert(1)</script>' })

describe('with --json, a run that ends without a report', () => {
  it('prints a document for wrong usage (2), with every problem', async () => {
    const bench = createWorkbench()
    const { code, stdout, stderr } = await bench.spawn(['catchup', '--json', '--since', 'yesterdayish'])
    const failure = failureSchema.parse(JSON.parse(stdout))
    expect([code, failure.exit, failure.hint]).toEqual([2, 2, 'see ngit-sync catchup --help'])
    expect(failure.error).toContain('"yesterdayish" is not a time')
    expect(stderr).toContain('error: no target')
  })

  it('prints a document when the target is unreachable (1)', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted()
    await target.close()
    const { code, stdout } = await bench.spawn(['catchup', '--json', '--retries', '0', ...endArguments(source, target)])
    const failure = failureSchema.parse(JSON.parse(stdout))
    expect([code, failure.exit]).toEqual([1, 1])
    expect(failure.error).toContain(target.url)
  })

  it('prints a document when another run holds the lock (4)', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted({ onEvent: () => 'silent' })
    bench.start(['catchup', ...endArguments(source, target)])
    await waitFor(() => target.received.events.length > 0, { timeoutMs: 20_000 })
    const { code, stdout } = await bench.spawn(['catchup', '--json', ...endArguments(source, target)])
    expect([code, failureSchema.parse(JSON.parse(stdout)).exit]).toEqual([4, 4])
  })

  it.each([
    ['defaults', 'defaults: { json: true, retries: 0 }\nprofiles: { nightly: {} }\n', []],
    ['a profile', 'defaults: { retries: 0 }\nprofiles: { nightly: { json: true } }\n', ['--profile', 'nightly']],
  ])('prints it if %s of the configuration file wants JSON', async (_, text, words) => {
    const bench = createWorkbench()
    const target = await bench.scripted()
    await target.close()
    const config = bench.file('config.yaml', [text])
    const source = bench.file('source.jsonl', mine.events)
    const options = [...words, '--config', config]
    const failed = await bench.run(['catchup', ...endArguments(source, target), ...options])
    expect([failed.code, failureSchema.parse(failed.json()).exit]).toEqual([1, 1])
    const wrong = await bench.run(['catchup', '--since', 'yesterdayish', ...options])
    expect([wrong.code, failureSchema.parse(wrong.json()).exit]).toEqual([2, 2])
  })

  it('does not print it among events, though only the configuration file names standard output', async () => {
    const bench = createWorkbench()
    const config = bench.file('config.yaml', ['defaults: { json: true, target: "-" }\n'])
    const { code, stdout, stderr } = await bench.run(['catchup', '--config', config])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('"exit":2')
  })

  it('does not print it among events', async () => {
    const bench = createWorkbench()
    const { stdout, stderr } = await bench.run(['catchup', '--json', '--target', '-'])
    expect(stdout).toBe('')
    expect(stderr).toContain('"exit":2')
  })
})

describe('--quiet --json', () => {
  it('prints the document even if all is well', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted({ events: mine.events })
    const { stdout } = await bench.run(['catchup', '--quiet', '--json', ...endArguments(source, target)])
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, toolVersion: toolVersion(), exit: 0, complete: true })
  })
})

describe('--report', () => {
  it.each(['html', 'md'])('writes a page that ends in .%s, with hostile names made harmless', async (ending) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted()
    const file = bench.path(`night.${ending}`)
    const { code } = await bench.run(['catchup', ...endArguments(source, target), '--report', file])
    const text = readFileSync(file, 'utf8')
    expect([code, text.includes('complete (0)')]).toEqual([0, true])
    expect(text).toContain('missing before')
    expect(text).not.toContain('<script')
    if (ending === 'html') expect(tagsOf(text).map(({ name }) => name)).toContain('svg')
  })

  it('writes the page of a check', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted()
    await bench.spawn(['check', ...endArguments(source, target), '--report', bench.path('check.html')])
    expect(readFileSync(bench.path('check.html'), 'utf8')).toContain('differences (5)')
  })

  it.each(['html', 'md'])(
    'says in a page that ends in .%s what failed when the target is unreachable',
    async (ending) => {
      const bench = createWorkbench()
      const file = bench.path(`night.${ending}`)
      writeFileSync(file, 'a complete night')
      const target = await bench.scripted()
      await target.close()
      const source = bench.file('source.jsonl', mine.events)
      const { code } = await bench.run([
        ...['catchup', ...endArguments(source, target)],
        ...['--retries', '0', '--report', file],
      ])
      const text = readFileSync(file, 'utf8').replaceAll('\\', '')
      expect([code, text.includes('failed (1)'), text.includes('a complete night')]).toEqual([1, true, false])
      for (const part of [target.url, `ngit-sync relay ${target.url}`, 'Nothing is lost']) expect(text).toContain(part)
      expect(text).not.toMatch(/None was hit|Words|undefined/)
    },
  )

  it('says in a page that another run holds the lock', async () => {
    const bench = createWorkbench()
    const [source, file] = [bench.file('source.jsonl', mine.events), bench.path('night.md')]
    const silent = await bench.scripted({ onEvent: () => 'silent' })
    bench.start(['catchup', ...endArguments(source, silent)])
    await waitFor(() => silent.received.events.length > 0, { timeoutMs: 20_000 })
    const { code } = await bench.run(['catchup', ...endArguments(source, silent), '--report', file])
    expect([code, readFileSync(file, 'utf8')]).toEqual([4, expect.stringContaining('**locked (4)**')])
  })

  it('says in a page that the state file is damaged', async () => {
    const bench = createWorkbench()
    const [source, file] = [bench.file('source.jsonl', mine.events), bench.path('night.md')]
    writeFileSync(bench.stateFile, 'no database '.repeat(1_000))
    const { code } = await bench.run(['catchup', ...endArguments(source, 'backup.jsonl'), '--report', file])
    expect([code, readFileSync(file, 'utf8')]).toEqual([1, expect.stringContaining('not a database')])
  })

  it.each([
    ['night.pdf', 2, 'is no page: give a name that ends in .html or .md'],
    ['no/such/night.html', 1, 'write report to no/such/night.html: no such directory'],
  ])('refuses %s before anything is sent', async (file, exit, problem) => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: mine.events })
    const target = await bench.scripted()
    const { code, stderr } = await bench.run(['catchup', ...endArguments(source, target), '--report', file])
    expect([code, stderr]).toEqual([exit, expect.stringContaining(problem)])
    expect([target.received.connections, existsSync(file)]).toEqual([0, false])
  })
})
