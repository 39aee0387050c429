import { z } from 'zod'
import type { FailureDocument } from '../../src/cli/render/render-json.ts'
import type { Report } from '../../src/report/report.ts'

const count = z.number().int().nonnegative()
const time = z.number().int().nonnegative()
const layerName = z.enum(['announcements', 'repositories', 'threads', 'follow-ups'])
const readMode = z.enum(['full', 'since', 'reconcile'])
const outcome = z.enum([
  'accepted',
  'duplicate',
  'superseded',
  'pending',
  'waiting',
  'refused',
  'invalid',
  'protected',
  'expired',
  'deleted',
  'vanished',
  'too-large',
  'given-up',
  'unanswered',
  'unsent',
])

const layer = z.strictObject({
  layer: layerName,
  fetched: count,
  unique: count,
  invalid: count,
  held: count,
  published: count,
  outcomes: z.partialRecord(outcome, count).readonly(),
  lateArrivals: count,
  dropped: z.record(z.string(), count).readonly(),
})

const reconcile = z.strictObject({
  roundTrips: count,
  listed: count,
  missing: count,
  sentToSource: count,
  receivedFromSource: count,
  sentToTarget: count,
  receivedFromTarget: count,
})

const sourceLayer = z.strictObject({
  layer: layerName,
  mode: readMode,
  since: time.nullable(),
  anchors: z.record(readMode, count).readonly(),
  filters: count,
  pages: count,
  events: count,
  bytes: count,
  reconcile: reconcile.readonly().nullable(),
  end: z.enum(['drained', 'incomplete', 'not asked']),
  reason: z.string().nullable(),
})

const source = z.strictObject({
  url: z.string(),
  discovered: z.boolean(),
  complete: z.boolean(),
  reason: z.string().nullable(),
  lastDrained: time.nullable(),
  notes: z.array(z.string()).readonly(),
  layers: z.array(sourceLayer.readonly()).readonly(),
})

const problem = z.strictObject({
  what: z.string(),
  where: z.string(),
  reason: z.string(),
  count,
  example: z.string().nullable(),
})

const heldBackRepository = z.strictObject({
  repository: z.string().nullable(),
  name: z.string().nullable(),
  events: count,
  waiting: count,
  commits: z.array(z.string()).readonly(),
  commitCount: count,
  keptUntil: time.nullable(),
})

const difference = z.strictObject({
  layer: layerName,
  kind: count,
  repository: z.string().nullable(),
  sourceHas: count,
  targetHas: count,
  missing: count,
})

const differences = z.array(difference.readonly()).readonly()

const copies = z.strictObject({
  wanted: count,
  service: z.string().nullable(),
  ends: z
    .array(
      z
        .strictObject({
          url: z.string(),
          isTarget: z.boolean(),
          events: count,
          lacks: count,
          reason: z.string().nullable(),
        })
        .readonly(),
    )
    .readonly(),
  events: count,
  withoutRepository: count,
  below: count,
  undecided: count,
  histogram: z.array(z.strictObject({ copies: count, events: count }).readonly()).readonly(),
  repositories: z
    .array(
      z
        .strictObject({
          repository: z.string().nullable(),
          name: z.string().nullable(),
          events: count,
          fewest: count,
          below: count,
          undecided: count,
          lacking: z.array(z.strictObject({ url: z.string(), events: count }).readonly()).readonly(),
          example: z.string(),
        })
        .readonly(),
    )
    .readonly(),
  repositoriesLeftOut: count,
  list: z
    .array(
      z
        .strictObject({ id: z.string(), repository: z.string().nullable(), at: z.array(z.string()).readonly() })
        .readonly(),
    )
    .readonly()
    .nullable(),
})

const gitCopies = z.strictObject({
  wanted: count,
  repositories: count,
  below: count,
  undecided: count,
  histogram: z.array(z.strictObject({ copies: count, repositories: count }).readonly()).readonly(),
  list: z
    .array(
      z
        .strictObject({
          repository: z.string(),
          name: z.string().nullable(),
          copies: count,
          unasked: count,
          at: z.array(z.string()).readonly(),
        })
        .readonly(),
    )
    .readonly(),
  leftOut: count,
})

const check = z.strictObject({
  missing: count.nullable(),
  waiting: count,
  needsFull: z.boolean(),
  differences,
  histogram: z.array(z.strictObject({ from: time, to: time, missing: count }).readonly()).readonly(),
  sample: z
    .strictObject({ number: count, of: count, repositories: count, events: count, damaged: count })
    .readonly()
    .nullable(),
  copies: copies.readonly().nullable(),
  ids: z.array(z.string()).readonly().nullable(),
  both: z
    .array(z.strictObject({ source: z.string(), missing: count, differences }).readonly())
    .readonly()
    .nullable(),
})

const repository = z.strictObject({
  repository: z.string().nullable(),
  name: z.string().nullable(),
  missing: count,
  sent: count,
  waiting: count,
  refused: count,
  pending: count,
})

const histogram = z.array(z.strictObject({ from: time, to: time, missing: count }).readonly()).readonly()

const signed = z.strictObject({
  stretch: z.strictObject({ from: time, to: time, events: count, of: count }).readonly().nullable(),
  histogram,
})

const gitVerdict = z.enum([
  'in sync',
  'behind',
  'missing',
  'extra',
  'HEAD differs',
  'empty',
  'no repository',
  'no state announced',
  'unreachable',
  'not asked',
])

const names = z.array(z.string()).readonly()

const gitPlace = z.strictObject({
  url: z.string(),
  isTarget: z.boolean(),
  verdict: gitVerdict,
  behind: names,
  missing: names,
  extra: names,
  counts: z.strictObject({ behind: count, missing: count, extra: count }).readonly(),
  head: z.string().nullable(),
  reason: z.string().nullable(),
  clone: z.strictObject({ isSound: z.boolean().nullable(), reason: z.string().nullable() }).readonly().nullable(),
})

const gitRemedy = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('nothing') }).readonly(),
  z.strictObject({ type: z.literal('target fetches'), until: time.nullable() }).readonly(),
  z.strictObject({ type: z.literal('repair') }).readonly(),
  z.strictObject({ type: z.literal('operator'), command: z.string() }).readonly(),
  z.strictObject({ type: z.literal('lost'), ids: names }).readonly(),
  z.strictObject({ type: z.literal('unknown') }).readonly(),
  z.strictObject({ type: z.literal('run again') }).readonly(),
])

const gitOutcome = z.enum(['released', 'already', 'denied', 'no data', 'too large', 'given up', 'planned'])

const gitRepository = z.strictObject({
  repository: z.string(),
  name: z.string().nullable(),
  state: z.strictObject({ id: z.string(), createdAt: time, isHeldBack: z.boolean() }).readonly().nullable(),
  places: z.array(gitPlace.readonly()).readonly(),
  hasAll: names,
  remedy: gitRemedy,
  repair: z
    .strictObject({
      outcome: gitOutcome,
      reason: z.string().nullable(),
      missing: names,
    })
    .readonly()
    .nullable(),
})

const git = z.strictObject({
  repositories: count,
  stopped: z.strictObject({ reason: z.string(), repositories: count }).readonly().nullable(),
  inSync: count,
  differing: count,
  unasked: count,
  verdicts: z.partialRecord(gitVerdict, count).readonly(),
  repairs: z.partialRecord(gitOutcome, count).readonly(),
  cloned: count.nullable(),
  lost: count,
  copies: gitCopies.readonly().nullable(),
  requests: count,
  bytes: count,
  milliseconds: count,
  list: z.array(gitRepository.readonly()).readonly(),
  leftOut: count,
})

/** The shape of the JSON document that `--json` prints, version 1. `docs/json-output.md` says what each field means. */
export const reportSchema = z
  .strictObject({
    version: z.literal(1),
    toolVersion: z.string(),
    profile: z.string().optional(),
    command: z.enum(['catchup', 'backfill', 'serve', 'check', 'retry', 'repair']),
    exit: count,
    complete: z.boolean(),
    target: z.string(),
    targetSoftware: z.string().nullable(),
    shard: z.strictObject({ number: count, of: count, plan: z.string() }).readonly().nullable(),
    merged: z
      .strictObject({
        of: count,
        missing: z.array(count).readonly(),
        shards: z.array(z.strictObject({ number: count, exit: count, startedAt: time }).readonly()).readonly(),
        failures: z.array(z.strictObject({ file: z.string(), exit: count, error: z.string() }).readonly()).readonly(),
      })
      .readonly()
      .nullable(),
    scope: z
      .strictObject({ kind: z.enum(['all', 'listed', 'named']), why: z.string(), repositories: count })
      .readonly(),
    range: z.strictObject({ completeSince: time.nullable(), fullAt: time.nullable() }).readonly(),
    window: z.strictObject({ since: time.nullable(), until: time.nullable() }).readonly().nullable(),
    dryRun: z.boolean(),
    startedAt: time,
    durationMs: z.number().nonnegative(),
    layers: z.array(layer.readonly()).readonly(),
    sources: z.array(source.readonly()).readonly(),
    totals: z
      .strictObject({
        fetched: count,
        unique: count,
        held: count,
        published: count,
        accepted: count,
        parked: count,
        refused: count,
      })
      .readonly(),
    check: check.readonly().nullable(),
    git: git.readonly().nullable(),
    repositories: z.array(repository.readonly()).readonly(),
    repositoriesLeftOut: count,
    signed: signed.readonly(),
    heldBack: z.array(heldBackRepository.readonly()).readonly(),
    problems: z.array(problem.readonly()).readonly(),
    followDepth: count.nullable(),
    notes: z.array(z.string()).readonly(),
  })
  .readonly() satisfies z.ZodType<Report & { readonly toolVersion: string }>

/** The document that `--json` prints when the program ends without a report. */
export const failureSchema = z
  .strictObject({
    version: z.literal(1),
    toolVersion: z.string(),
    profile: z.string().optional(),
    exit: count,
    error: z.string(),
    hint: z.string().nullable(),
  })
  .readonly() satisfies z.ZodType<FailureDocument & { readonly toolVersion: string }>

/**
 * `report.schema.json`: `reportSchema` or `failureSchema` as JSON Schema (2020-12), for programs that read a report. It lets fields pass
 * that it does not know, as `docs/json-output.md` promises that some may be added within a version.
 */
export function buildJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...shape } = z.toJSONSchema(z.union([reportSchema, failureSchema]), {
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
      delete jsonSchema.readOnly
    },
  })
  return { $schema, title: 'ngit-sync report, version 1', ...shape }
}
