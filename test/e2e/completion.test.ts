import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'

import { COMMAND_NAMES } from '../../src/cli/parse/command-table.ts'
import { optionsOf } from '../../src/cli/parse/option-table.ts'
import { packedProgram } from '../support/packed-program.ts'
import { createWorkbench } from '../support/workbench.ts'
import { runCli } from '../support/run-cli.ts'
import { smallRepository } from '../support/scenes.ts'

const CONFIG = `
defaults: { source: [wss://one.example, wss://two.example?token=hunter2] }
profiles:
  nightly: { target: ws://localhost:7443 }
  weekly: { target: backup.jsonl }
`
type Shell = 'bash' | 'zsh' | 'fish'

function has(shell: Shell): boolean {
  return spawnSync(shell, ['-c', 'true']).status === 0
}

/** A directory with `ngit-sync` in its `bin`, a configuration file, and the script for a shell. */
async function home(shell: Shell, program = `exec '${process.execPath}' '${packedProgram()}' "$@"`) {
  const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-completion-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  for (const name of ['bin', 'config/ngit-sync']) mkdirSync(join(directory, name), { recursive: true })
  writeFileSync(join(directory, 'bin/ngit-sync'), `#!/bin/sh\n${program}\n`)
  chmodSync(join(directory, 'bin/ngit-sync'), 0o755)
  writeFileSync(join(directory, 'config/ngit-sync/config.yaml'), CONFIG)
  const script = join(directory, 'script')
  writeFileSync(script, (await runCli(['completion', shell])).stdout)
  return {
    directory,
    /** The lines that a program for this shell prints, after it has read the script. */
    async lines(text: string): Promise<string[]> {
      const { PATH = '' } = process.env
      const env = {
        PATH: `${join(directory, 'bin')}:${PATH}`,
        ...{ HOME: directory, XDG_CONFIG_HOME: join(directory, 'config'), XDG_STATE_HOME: directory, TERM: 'dumb' },
      }
      const { stdout, stderr } = await promisify(execFile)(shell, ['-c', `source '${script}'\n${text}`], {
        env,
        cwd: directory,
      })
      expect(stderr).toBe('')
      return stdout.split('\n').filter((line) => line !== '')
    },
  }
}

const BASH = (line: string): string => `
COMP_LINE='${line}' COMP_POINT=${line.length}
COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
_ngit_sync
printf '%s\\n' "\${COMPREPLY[@]}"`

describe.skipIf(!has('bash'))('completion bash', () => {
  it.each([
    ['ngit-sync ', [...COMMAND_NAMES, 'help', '--help', '--version']],
    ['ngit-sync ch', ['check']],
    ['ngit-sync catchup --prof', ['--profile']],
    ['ngit-sync catchup --profile ', ['nightly', 'weekly']],
    ['ngit-sync catchup --profile=w', ['weekly']],
    ['ngit-sync catchup --source wss', ['wss://one.example']],
    ['ngit-sync catchup --source scr', ['script']],
    ['ngit-sync catchup --source wss://on', ['//one.example']],
    ['ngit-sync catchup --target=ws', ['ws://localhost:7443']],
    ['ngit-sync catchup --full --scope l', ['listed']],
    ['ngit-sync status --state scr', ['script']],
    ['ngit-sync completion z', ['zsh']],
    ['ngit-sync catchup --since ', []],
    ['ngit-sync help re', ['retry', 'repair', 'relay']],
    ['ngit-sync status --dis', []],
  ])('completes "%s"', async (line, expected) => {
    expect(await (await home('bash')).lines(BASH(line))).toEqual(expected)
  })

  it('offers every option of every command', async () => {
    const { lines } = await home('bash')
    for (const command of COMMAND_NAMES) {
      const flags = optionsOf(command).map(({ flag }) => flag)
      expect(await lines(BASH(`ngit-sync ${command} --`))).toEqual([...flags, '--help'])
    }
  })

  it('runs no name that it is given, and shows nothing of a program that fails', async () => {
    const hostile = await home('bash', `printf '%s\\n' '$(touch pwned)' '\`touch pwned\`' 'a;touch pwned'; exit 1`)
    expect(await hostile.lines(BASH('ngit-sync catchup --profile '))).toHaveLength(3)
    expect(existsSync(join(hostile.directory, 'pwned'))).toBe(false)
    const failing = await home('bash', 'echo trouble >&2; exit 1')
    expect(await failing.lines(BASH('ngit-sync catchup --profile '))).toEqual([])
  })
})

describe.skipIf(!has('zsh'))('completion zsh', () => {
  /** Stands in for the completion system, and prints what it is called with. */
  const zsh = (...words: string[]): string => `
_arguments() { print -rl -- "$@" }
_describe() { print -rl -- "\${(@P)@[-1]}" }
compadd() { print -rl -- "\${(@P)@[-1]}" }
words=(${words.map((word) => `'${word}'`).join(' ')}) CURRENT=${words.length}
_ngit-sync`
  it('offers the commands and their options, with a word on each', async () => {
    const { lines } = await home('zsh')
    expect(await lines(zsh('ngit-sync', ''))).toContain(
      'status:show checkpoints, parked and refused events, and the last runs',
    )
    const options = await lines(zsh('ngit-sync', 'catchup', ''))
    for (const { flag } of optionsOf('catchup')) expect(options.some((line) => line.includes(flag))).toBe(true)
    expect(options).toContain('*--profile=[use the options of this profile of the file]:profile:_ngit_sync_profiles')
    expect(options).toContain('(--dry-run -n)-n[read everything, send nothing, report what would be sent]')
  })

  it('asks the program for names', async () => {
    const { lines } = await home('zsh')
    const ask = 'typed=(catchup --profile)\ncompadd() { print -rl -- "${(@P)@[-1]}" }\n_ngit_sync_profiles'
    expect(await lines(ask)).toEqual(['nightly', 'weekly'])
  })
})

describe.skipIf(!has('fish'))('completion fish', () => {
  it.each([
    ['ngit-sync catchup --prof', ['--profile']],
    ['ngit-sync catchup --profile ', ['nightly', 'weekly']],
    ['ngit-sync catchup --source wss', ['wss://one.example']],
    ['ngit-sync retry --target ws', ['ws://localhost:7443']],
    ['ngit-sync catchup --scope l', ['listed']],
    ['ngit-sync completion ', ['bash', 'fish', 'zsh']],
    ['ngit-sync che', ['check']],
  ])('completes "%s"', async (line, expected) => {
    const lines = await (await home('fish')).lines(`complete -C '${line}'`)
    expect(lines.map((text) => text.split('\t')[0])).toEqual(expected)
  })
})

describe('__complete', () => {
  it('lists what the state file knows, beside the configuration', async () => {
    const bench = createWorkbench()
    const source = await bench.scripted({ events: smallRepository().events })
    const target = bench.path('target.jsonl')
    await bench.catchup(source, target)
    expect((await bench.run(['__complete', 'targets'])).stdout).toBe(`${target}\n`)
    expect((await bench.run(['__complete', 'sources', 'catchup'])).stdout).toBe(`${source.url}\n`)
  })

  it('says nothing of what is missing, broken or hostile', async () => {
    const bench = createWorkbench()
    const broken = bench.file('config.yaml', ['profiles: ['])
    for (const words of [['profiles', '--config', broken], ['targets'], ['nonsense'], []]) {
      const { code, stdout, stderr } = await bench.run(['__complete', ...words])
      expect([code, stdout, stderr]).toEqual([0, '', ''])
    }
    expect(existsSync(bench.stateFile)).toBe(false)
    const hostile = bench.file('hostile.yaml', [
      'profiles: { a: { source: ["wss://x/$(id)", "wss://x/\\e[2J", "wss://x/?key=1", "wss://me:pw@x", "wss://ok.example"] } }',
    ])
    expect((await bench.run(['__complete', 'sources', '--config', hostile])).stdout).toBe('wss://ok.example\n')
  })
})

describe('completion', () => {
  it.each([
    [[], 'no shell: give one of bash, zsh, fish'],
    [['csh'], 'the shell "csh" is not one of bash, zsh, fish'],
    [['bash', 'zsh'], 'unexpected argument "zsh": completion takes one SHELL and options only'],
  ])('is wrong as %j', async (args, problem) => {
    const { code, stderr } = await runCli(['completion', ...args])
    expect([code, stderr]).toEqual([2, `error: ${problem}\nsee ngit-sync completion --help\n`])
  })
})
