import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ConfigOverview } from '../src/cli/config/config-overview.ts'
import { renderServing } from '../src/cli/render/render-serving.ts'
import { EXIT_CODES } from '../src/cli/exit-codes.ts'
import { setRepairScene } from './support/repair-scene.ts'
import { runCli } from './support/run-cli.ts'
import { runHere } from './support/run-here.ts'
import { createWorkbench } from './support/workbench.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** Commands that the README shows, without prompts, comments and cron times. */
function shownCommands(): string[] {
  const blocks = [...readme.matchAll(/```(console|sh|cron)\n(.*?)```/gs)].flatMap(([, , text = '']) => text.split('\n'))
  return blocks
    .map((line) => /(?:^|\s)(ngit-sync .*?)\s*(?:#.*)?$/.exec(line)?.[1])
    .filter((command) => command !== undefined)
    .filter((command) => !command.includes('127.0.0.1'))
}

/**
 * What differs from run to run: ports, times, sizes that hold ports, durations. Widths that follow from them are
 * folded.
 */
function normalize(text: string): string {
  return (
    text
      .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
      .replaceAll(/(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d\d:\d\d/g, 'TIME')
      .replaceAll(/(just now|\d+ s ago)/g, 'AGO')
      .replaceAll(/took [\d.]+ m?s/g, 'took TIME')
      .replaceAll(/\d+(\.\d+)? kB/g, 'SIZE')
      // One page more when the machine is busy.
      .replaceAll(/(1 announcements +all by paging +\d+) +\d+/g, '$1 PAGES')
      .replaceAll(/\s+/g, ' ')
      .trim()
  )
}

function demoBlock(name: string): string {
  return shownBlock(`<!-- demo: ${name} -->`)
}

function shownBlock(marker: string): string {
  return /```console\n(.*?)```/s.exec(readme.slice(readme.indexOf(marker)))?.[1] ?? ''
}

/** The configuration that the README shows, in a file. */
function configFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-readme-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'config.yaml')
  writeFileSync(file, /<!-- config -->\s*```yaml\n(.*?)```/s.exec(readme)?.[1] ?? '')
  return file
}

describe('README', () => {
  it('shows what the demo prints', async () => {
    const { code, stdout, stderr } = await runCli(['demo'])
    expect(code).toBe(0)
    expect(normalize(demoBlock('repair')).length).toBeGreaterThan(100)
    const [, report = ''] = demoBlock('repair').split(/--full\n/)
    expect(normalize(stdout)).toContain(normalize(report))
    expect(normalize(stderr)).toContain(normalize(demoBlock('repair').split('\n')[0] ?? ''))
  })

  it('shows what a check in the demo prints, in parts', async () => {
    const { stdout } = await runCli(['demo'])
    const [, ...lines] = demoBlock('check').split('\n')
    const parts = lines.join('\n').split(/^ …$/m)
    expect(parts.length).toBeGreaterThan(3)
    for (const part of parts) expect(normalize(stdout)).toContain(normalize(part))
  })

  it('shows what the repair of a lost disk prints, in parts', async () => {
    const bench = createWorkbench()
    const scene = await setRepairScene(bench)
    for (const d of ['ngit', 'tools', 'website']) await scene.add(d)
    const [command = '', ...lines] = shownBlock('<!-- repair: disk -->').split('\n')
    const rest = command
      .replaceAll(/ --(source|target) \S+/g, '')
      .split(' ')
      .slice(2)
    const { code, stdout } = await bench.run([...rest, ...scene.args])
    expect(code).toBe(0)
    const parts = lines.join('\n').split(/^…$/m)
    expect(parts.length).toBeGreaterThan(3)
    for (const part of parts) expect(normalize(stdout)).toContain(normalize(part))
  })

  it('shows commands that the command line understands', async () => {
    const commands = shownCommands()
    expect(commands.length).toBeGreaterThan(4)
    for (const command of commands) {
      const words = command.split(/\s+/).slice(1)
      const needsConfig = words.some((word) => ['--profile', '--all-profiles'].includes(word))
      const env = needsConfig ? { NGIT_SYNC_CONFIG: configFile() } : {}
      const { stderr } = await runHere([...words, '--this-is-wrong'], { env })
      const problems = stderr.split('\n').filter((line) => line.startsWith('error:'))
      expect(problems, command).toEqual([expect.stringContaining('--this-is-wrong')])
    }
  })

  it('shows what serve tells the operator of ngit-grasp', () => {
    const shown = /<!-- serve -->\s*```text\n(.*?)```/s.exec(readme)?.[1]
    const told = { type: 'serving', url: 'ws://127.0.0.1:7777', events: 6_060, software: 'ngit-grasp 3.0.10' } as const
    expect(shown).toBe(renderServing(told))
  })

  it('shows a configuration that the program takes', async () => {
    const { code, stdout } = await runHere(['config', '--config', configFile(), '--json'])
    const { profiles } = JSON.parse(stdout) as ConfigOverview
    expect(code).toBe(0)
    expect(profiles.map(({ profile, refusals }) => [profile, refusals])).toEqual([
      ['nightly', []],
      ['backup', []],
    ])
  })

  it('lists the exit codes of the program', () => {
    const folded = readme.replaceAll(/ +/g, ' ')
    for (const { code, word, meaning } of EXIT_CODES) expect(folded).toContain(`| ${code} | ${word} | ${meaning} |`)
  })

  it('names options that exist', async () => {
    const commands = ['catchup', 'backfill', 'serve', 'check', 'retry', 'repair', 'status', 'why']
    const helps = await Promise.all(commands.map((command) => runHere([command, '--help'])))
    const stdout = helps.map((help) => help.stdout).join('\n')
    const named = new Set([...readme.matchAll(/--[a-z][a-z-]+/g)].map(([flag]) => flag))
    for (const flag of named) {
      if (['--global', '--help', '--dir'].includes(flag)) continue
      expect(stdout, flag).toContain(flag)
    }
  })
})
