import { randomUUID } from 'node:crypto'
import { accessSync, chmodSync, constants, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { UsageError } from '../../errors.ts'
import { fileReasonOf } from '../../file/file-error.ts'
import type { UnixSeconds } from '../../time.ts'
import type { Metric, SourceHistory } from './metrics.ts'

/** What the metrics of the run before remember. */
export type FormerMetrics = {
  /** The last success of this command for this target (labels). */
  lastSuccessAt(command: string, target: string): UnixSeconds | undefined
  /** `undefined` if it does not know the source. */
  sourceOf(command: string, target: string, source: string): SourceHistory | undefined
}

const PREFIX = 'ngit_sync_'
const MAX_FORMER_BYTES = 1024 * 1024
const LINE = /^ngit_sync_(\w+)\{(.*)\} (\d+(?:\.\d+)?(?:e\+\d+)?)$/
const LABEL = /(?:^|,)(\w+)="((?:[^"\\]|\\.)*)"/g

/** Throws UsageError if the file could not be put in place at the end of the run. */
export function refuseMetricsFile(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK)
  } catch (error) {
    throw new UsageError([`--metrics-file ${path} cannot be written: its directory: ${fileReasonOf(error)}`])
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new UsageError([`--metrics-file ${path} cannot be written: it is a directory`])
}

/** Writes metrics in the text format of Prometheus, in one step: a reader sees the old file or the new one. */
export async function writeMetrics(path: string, metrics: readonly Metric[]): Promise<void> {
  const text = await formatMetrics(metrics)
  // The collector reads every name that ends in .prom, so this one must not.
  const part = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`)
  try {
    writeFileSync(part, text, { flag: 'wx' })
    // The collector is another user, whatever our umask says.
    chmodSync(part, 0o644)
    renameSync(part, path)
  } finally {
    rmSync(part, { force: true })
  }
}

/** Renders metrics in the text format of Prometheus. Loads prom-client. */
export async function formatMetrics(metrics: readonly Metric[]): Promise<string> {
  const { Gauge, Registry } = (await import('prom-client')).default
  const registry = new Registry()
  for (const { name, help, values } of metrics) {
    const [first] = values
    if (first === undefined) continue
    const labelNames = Object.keys(first.labels)
    const gauge = new Gauge({ name: `${PREFIX}${name}`, help, labelNames, registers: [registry] })
    for (const { labels, value } of values) gauge.set({ ...labels }, value)
  }
  return registry.metrics()
}

/**
 * Reads what the run before wrote, or that of the shard with this label. A file that is absent, too large or of somebody
 * else remembers nothing.
 */
export function readFormerMetrics(path: string, ofShard: Readonly<Record<string, string>> = {}): FormerMetrics {
  const values = new Map<string, number>()
  for (const line of readSmallFile(path).split('\n')) {
    const [, name, labels = '', value] = LINE.exec(line) ?? []
    if (name !== undefined) values.set(keyOf(name, parseLabels(labels)), Number(value))
  }
  const find = (name: string, labels: Readonly<Record<string, string>>): number | undefined =>
    values.get(keyOf(name, { ...labels, ...ofShard }))
  return {
    lastSuccessAt: (command, target) => find('last_success_timestamp_seconds', { command, target }),
    sourceOf(command, target, source) {
      const labels = { command, target, source }
      const undrainedRuns = find('source_undrained_runs', labels)
      if (undrainedRuns === undefined) return undefined
      return { undrainedRuns, lastDrainedAt: find('source_last_drained_timestamp_seconds', labels) }
    },
  }
}

function readSmallFile(path: string): string {
  try {
    return statSync(path).size > MAX_FORMER_BYTES ? '' : readFileSync(path, 'utf8')
  } catch {
    // The first run finds no file. One that cannot be read remembers nothing, and is replaced.
    return ''
  }
}

function parseLabels(text: string): Record<string, string> {
  const pairs = [...text.matchAll(LABEL)].map(([, name = '', value = '']) => [name, unescapeLabel(value)])
  return Object.fromEntries(pairs) as Record<string, string>
}

function unescapeLabel(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
}

function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  return JSON.stringify([name, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))])
}
