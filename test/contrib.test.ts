import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { listMetrics } from '../src/cli/monitor/metrics.ts'
import { optionsOf } from '../src/cli/parse/option-table.ts'
import { CHECKED, PARTIAL } from './cli/reports.ts'
import { jobSchema } from './support/job-schema.ts'

const CONTRIB = fileURLToPath(new URL('../contrib/', import.meta.url))
const ALERTS = join(CONTRIB, 'prometheus/alerts.yml')
/** Options of the configuration file, which every command takes. */
const CONFIGURATION = ['--config', '--profile']

type Rule = { readonly alert: string; readonly expr: string; readonly annotations: Readonly<Record<string, string>> }
type Panel = {
  readonly id: number
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: readonly { readonly expr: string }[]
}

const rules = (parse(read('prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
)
const { panels } = JSON.parse(read('grafana/ngit-sync.json')) as { panels: readonly Panel[] }
const written = new Map(allMetrics().map(({ name, values }) => [`ngit_sync_${name}`, values[0]?.labels ?? {}]))

describe.each([
  ['the alert rules', rules.map(({ expr }) => expr)],
  ['the dashboard', panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))],
])('%s', (_, expressions) => {
  it.each(expressions)('asks for metrics and labels that the program writes: %s', (expr) => {
    const names = [...expr.matchAll(/\bngit_sync_\w+/g)].map(([name]) => name)
    expect(names).not.toEqual([])
    expect(names.filter((name) => !written.has(name))).toEqual([])
    const labels = [...expr.matchAll(/(\w+)=~?"/g)].map(([, label = '']) => label)
    const known = names.flatMap((name) => Object.keys(written.get(name) ?? {}))
    expect(labels.filter((label) => !known.includes(label))).toEqual([])
  })
})

describe('the alert rules', () => {
  it('say in a sentence what is wrong, and of which target', () => {
    for (const { annotations } of rules) {
      expect(annotations['summary']).toMatch(/\$labels\.target|\$labels\.source/)
      expect(annotations['description']).toMatch(/\.$/)
    }
  })

  it.skipIf(!isThere('promtool', '--version'))('pass promtool with their own tests', () => {
    const options = { cwd: join(CONTRIB, 'prometheus'), encoding: 'utf8' } as const
    expect(execFileSync('promtool', ['check', 'rules', ALERTS], options)).toContain('SUCCESS')
    expect(execFileSync('promtool', ['test', 'rules', 'alerts-tests.yml'], options)).toContain('SUCCESS')
  })
})

describe('the dashboard', () => {
  it('is one screen, with no two panels in one place', () => {
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24)
    expect(Math.max(...panels.map(({ gridPos: { y, h } }) => y + h))).toBeLessThanOrEqual(20)
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  })
})

describe('the systemd unit', () => {
  const service = read('systemd/ngit-sync@.service')

  it('starts the program with options that it has', () => {
    const line = /^ExecStart=.* ngit-sync (catchup .*)$/m.exec(service)?.[1] ?? ''
    expect(unknownOptions(line.split(' '))).toEqual([])
  })

  it('names variables in its drop-ins that options have', () => {
    const texts = ['key', 'metrics'].map((name) => read(`systemd/ngit-sync@.service.d/${name}.conf`)).join('')
    const flags = [...texts.matchAll(/NGIT_SYNC_(\w+)=/g)].map(
      ([, name = '']) => `--${name.toLowerCase().replaceAll('_', '-')}`,
    )
    expect([flags.length, unknownOptions(flags)]).toEqual([2, []])
  })

  it('takes a held lock and a stop for success, and a partial run for a failure', () => {
    expect(/^SuccessExitStatus=(.*)$/m.exec(service)?.[1]).toBe('4 143')
  })

  it.skipIf(!isThere('systemd-analyze', '--version'))('passes systemd-analyze, with its timer and its drop-ins', () => {
    const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-units-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    cpSync(join(CONTRIB, 'systemd'), directory, { recursive: true })
    const units = ['service', 'timer'].map((type) => {
      const unit = join(directory, `ngit-sync@nightly.${type}`)
      cpSync(join(directory, `ngit-sync@.${type}`), unit)
      return unit
    })
    // The manual page is installed with the package.
    expect(execFileSync('systemd-analyze', ['verify', '--man=no', ...units], { encoding: 'utf8' })).toBe('')
  })
})

describe('the Kubernetes manifest', () => {
  type Resource = { readonly kind: string; readonly metadata: { readonly name: string }; readonly spec?: object }
  const documents = parseAllDocuments(read('kubernetes/cronjob.yaml'), { uniqueKeys: true })
  const resources = documents.map((document) => document.toJS() as Resource)

  it('holds the configuration, the volume and the job', () => {
    expect(documents.flatMap(({ errors }) => errors)).toEqual([])
    expect(resources.map(({ kind }) => kind)).toEqual(['ConfigMap', 'PersistentVolumeClaim', 'CronJob'])
  })

  it('never runs two at once, nor again at once, nor as root, and keeps its state', () => {
    expect(resources[2]?.spec).toMatchObject({
      concurrencyPolicy: 'Forbid',
      jobTemplate: {
        spec: {
          backoffLimit: 0,
          template: {
            spec: {
              restartPolicy: 'Never',
              securityContext: { runAsNonRoot: true },
              volumes: [
                { name: 'state', persistentVolumeClaim: { claimName: resources[1]?.metadata.name } },
                { name: 'config', configMap: { name: resources[0]?.metadata.name } },
                { name: 'tmp' },
              ],
            },
          },
        },
      },
    })
  })

  it('starts the program with options that it has', () => {
    const flags = [...read('kubernetes/cronjob.yaml').matchAll(/^ +- (--[a-z-]+)/gm)].map(([, flag = '']) => flag)
    expect([flags.length, unknownOptions(flags)]).toEqual([5, []])
  })

  it('sets options in its profile that the program has', () => {
    const { data } = resources[0] as Resource & { data: Record<string, string> }
    const { defaults, profiles } = parse(data['config.yaml'] ?? '') as {
      defaults: object
      profiles: Record<string, object>
    }
    const keys = [defaults, ...Object.values(profiles)].flatMap(Object.keys).map((key) => `--${key}`)
    expect(unknownOptions(keys)).toEqual([])
  })
})

describe('the Kubernetes manifest of shards', () => {
  const documents = parseAllDocuments(read('kubernetes/indexed-job.yaml'), { uniqueKeys: true })
  const [claim, job] = documents.map((document): unknown => document.toJS())
  const { spec } = jobSchema.parse(job)
  const [{ args, env, volumeMounts }] = spec.template.spec.containers
  const [script = ''] = args

  it('is what Kubernetes takes, and has its volumes', () => {
    expect(documents.flatMap(({ errors }) => errors)).toEqual([])
    const [volume] = spec.template.spec.volumes
    expect(volume).toMatchObject({
      persistentVolumeClaim: { claimName: (claim as { metadata: { name: string } }).metadata.name },
    })
    expect(volumeMounts.map(({ name }) => name)).toEqual(spec.template.spec.volumes.map(({ name }) => name))
  })

  it('has as many shards as pods', () => {
    expect(env).toContainEqual({ name: 'SHARDS', value: String(spec.completions) })
    expect(spec.maxFailedIndexes).toBe(spec.completions)
  })

  it.each([
    ['0', '1/4'],
    ['3', '4/4'],
  ])('starts the shard after its index: %s → %s, with a state file and a report of its own', (index, part) => {
    const said = execFileSync('/bin/sh', ['-ceu', script.replace(/exec node \S+/, 'echo').replace(/>.*/, '')], {
      env: { SHARDS: '4', JOB_COMPLETION_INDEX: index },
      encoding: 'utf8',
    })
    const number = part.slice(0, 1)
    expect(said).toContain(`--shard ${part} --state /state/shard-${number}.db`)
    expect(script).toContain('> "/state/shard-$number.json"')
    expect(unknownOptions(said.split(/\s+/))).toEqual([])
  })
})

describe('the script for GNU parallel', () => {
  /** Stands for parallel: runs the command for each line, one after the other, with the line for `{}`. */
  const PARALLEL = `#!/bin/sh
shift 3
while read -r line; do
  (
    i=$#
    for word in "$@"; do set -- "$@" "$(printf %s "$word" | sed "s|{}|$line|g")"; done
    shift $i
    "$@"
  ) || failed=1
done
exit \${failed:-0}
`
  const PROGRAM = `#!/bin/sh
[ "$1" = merge-reports ] || { echo "$*"; exit 3; }
shift
cat "$@"
`

  it('runs every shard with the options given, and merges what they wrote, whatever their exits', () => {
    const directory = mkdtempSync(join(tmpdir(), 'ngit-sync-parallel-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    for (const [name, text] of Object.entries({ parallel: PARALLEL, 'ngit-sync': PROGRAM }))
      writeFileSync(join(directory, name), text, { mode: 0o755 })
    const env = { PATH: `${directory}:${process.env['PATH'] ?? ''}` }
    const words = [join(CONTRIB, 'parallel/shards.sh'), '3', '--target', 'wss://a?b=c&d']
    expect(execFileSync('/bin/sh', words, { env, encoding: 'utf8' }).split('\n')).toEqual([
      ...[1, 2, 3].map((number) => `catchup --json --shard ${number}/3 --target wss://a?b=c&d`),
      '',
    ])
  })

  it.each([[], ['0'], ['--source', 'wss://a'], ['four']])('says how it is used, given %j', (...words) => {
    const { status, stderr } = spawnSync('/bin/sh', [join(CONTRIB, 'parallel/shards.sh'), ...words], {
      encoding: 'utf8',
    })
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/^usage: \S+shards\.sh SHARDS \[options of ngit-sync catchup\]\n$/),
    ])
  })
})

function read(path: string): string {
  return readFileSync(join(CONTRIB, path), 'utf8')
}

/** The options among these words that catchup does not take. */
function unknownOptions(words: readonly string[]): string[] {
  const known: readonly string[] = [...optionsOf('catchup').map(({ flag }) => flag), ...CONFIGURATION]
  return words.filter((word) => word.startsWith('--') && !known.includes(word))
}

function isThere(command: string, argument: string): boolean {
  try {
    execFileSync(command, [argument], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Every metric that a run may write. */
function allMetrics() {
  const end = { command: 'catchup', target: 'wss://a', sources: ['wss://b'], exit: 0, endedAt: 2, durationMs: 1 }
  const parked = [{ outcome: 'pending', reason: '', count: 1, oldestAt: 1, nextTryAt: null, keptUntil: null }]
  const history = {
    lastSuccessAt: 1,
    waiting: { parked: parked.map((group) => ({ ...group, obstacle: null, example: null, attempts: 1 })), refused: 1 },
    sourceOf: () => ({ lastDrainedAt: 1, undrainedRuns: 1 }),
  }
  return [PARTIAL, CHECKED].flatMap((report) =>
    listMetrics({ ...end, report }, history, { version: '1.2.3', node: 'v20' }).filter(
      ({ values }) => values.length > 0,
    ),
  )
}
