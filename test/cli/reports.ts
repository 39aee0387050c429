import type { CopiesReport } from '../../src/report/copies-report.ts'
import type { Status } from '../../src/report/status.ts'
import type { LayerReport, Report, SourceLayerReport } from '../../src/report/report.ts'

/** Sun 2025-11-23 12:13:20 UTC: the `now` of all renderings. */
export const NOW = 1_763_900_000

const HOUR = 3600
const ANCHORS = { full: 0, since: 0, reconcile: 0 }

/** A layer with nothing in it, changed as asked. */
export function layerReport(changes: Partial<LayerReport>): LayerReport {
  return {
    layer: 'announcements',
    fetched: 0,
    unique: 0,
    invalid: 0,
    held: 0,
    published: 0,
    outcomes: {},
    lateArrivals: 0,
    dropped: {},
    ...changes,
  }
}

/** A layer at a source, drained, changed as asked. */
function sourceLayer(changes: Partial<SourceLayerReport>): SourceLayerReport {
  return {
    layer: 'announcements',
    mode: 'reconcile',
    since: null,
    anchors: ANCHORS,
    filters: 1,
    pages: 0,
    events: 0,
    bytes: 0,
    reconcile: null,
    end: 'drained',
    reason: null,
    ...changes,
  }
}

/** A catchup that had nothing to do, changed as asked. */
export function report(changes: Partial<Report>): Report {
  return {
    version: 1,
    command: 'catchup',
    exit: 0,
    complete: true,
    target: 'ws://localhost:7443',
    targetSoftware: 'ngit-grasp 1.0.2',
    shard: null,
    merged: null,
    scope: { kind: 'listed', why: 'the target is a GRASP relay', repositories: 214 },
    range: { completeSince: null, fullAt: NOW },
    window: null,
    dryRun: false,
    startedAt: NOW - 2,
    durationMs: 1400,
    layers: [
      layerReport({ fetched: 231, unique: 219, held: 219 }),
      layerReport({ layer: 'repositories', fetched: 4812, unique: 3976, held: 3976 }),
      layerReport({ layer: 'threads', fetched: 12_044, unique: 11_310, held: 11_310 }),
    ],
    sources: [
      {
        url: 'wss://relay.one',
        discovered: false,
        complete: true,
        reason: null,
        lastDrained: NOW - 29 * HOUR,
        notes: [],
        layers: [sourceLayer({ mode: 'full', events: 231, bytes: 310_000 })],
      },
    ],
    totals: { fetched: 17_087, unique: 15_505, held: 15_505, published: 0, accepted: 0, parked: 0, refused: 0 },
    check: null,
    git: null,
    repositories: [],
    repositoriesLeftOut: 0,
    signed: { stretch: null, histogram: [] },
    heldBack: [],
    problems: [],
    followDepth: null,
    notes: [],
    ...changes,
  }
}

/**
 * A run that left repositories waiting for git data: one that is kept, one whose purgatory has expired, one nobody
 * knows.
 */
export const HELD_BACK = report({
  exit: 3,
  complete: false,
  totals: { fetched: 9, unique: 9, held: 0, published: 9, accepted: 0, parked: 23, refused: 0 },
  heldBack: [
    {
      repository: `30617:${'ab'.repeat(32)}:hello`,
      name: 'Hello \u202eworld',
      events: 2,
      waiting: 14,
      commits: ['1'.repeat(40), '2'.repeat(40)],
      commitCount: 5,
      keptUntil: NOW + 1800,
    },
    {
      repository: `30617:${'cd'.repeat(32)}:old`,
      name: null,
      events: 3,
      waiting: 2,
      commits: ['3'.repeat(40)],
      commitCount: 1,
      keptUntil: NOW - 60,
    },
    { repository: null, name: null, events: 2, waiting: 0, commits: [], commitCount: 0, keptUntil: null },
  ],
  problems: [
    {
      what: 'pending',
      where: 'ws://localhost:7443',
      reason: "purgatory: won't be served until git data arrives",
      count: 7,
      example: null,
    },
  ],
})

/** The run of the sketch: much was missing, one source was not read to its end, some events wait. */
export const PARTIAL = report({
  exit: 3,
  complete: false,
  durationMs: 571_000,
  layers: [
    layerReport({
      fetched: 231,
      unique: 219,
      held: 208,
      published: 11,
      outcomes: { accepted: 2, pending: 9 },
      lateArrivals: 3,
    }),
    layerReport({
      layer: 'repositories',
      fetched: 4812,
      unique: 3976,
      held: 3701,
      published: 275,
      outcomes: { accepted: 261, waiting: 14 },
      lateArrivals: 22,
      dropped: { 'out of scope': 1204, deleted: 31 },
    }),
    layerReport({
      layer: 'threads',
      fetched: 12_044,
      unique: 11_310,
      invalid: 2,
      held: 10_998,
      published: 312,
      outcomes: { accepted: 309, waiting: 3 },
      lateArrivals: 40,
      dropped: { expired: 1 },
    }),
  ],
  sources: [
    {
      url: 'wss://relay.one',
      discovered: false,
      complete: true,
      reason: null,
      lastDrained: NOW - 29 * HOUR,
      notes: ['more than 24 h since the last full pass: everything is read'],
      layers: [
        sourceLayer({ events: 14, bytes: 31_000 }),
        sourceLayer({ layer: 'repositories', filters: 12, events: 259, bytes: 410_000 }),
        sourceLayer({
          layer: 'threads',
          mode: 'since',
          since: NOW - 30 * HOUR,
          anchors: { full: 3, since: 211, reconcile: 0 },
          filters: 4,
          pages: 9,
          events: 1,
          bytes: 800,
        }),
      ],
    },
    {
      url: 'wss://relay.two',
      discovered: false,
      complete: false,
      reason: null,
      lastDrained: null,
      notes: [],
      layers: [
        sourceLayer({
          layer: 'threads',
          mode: 'full',
          filters: 12,
          pages: 31,
          events: 9120,
          bytes: 5_200_000,
          end: 'incomplete',
          reason: 'idle 30 s on page 3 of #E 101–200',
        }),
      ],
    },
  ],
  totals: { fetched: 17_087, unique: 15_505, held: 14_907, published: 598, accepted: 572, parked: 26, refused: 0 },
  problems: [
    {
      what: 'waiting',
      where: 'ws://localhost:7443',
      reason: 'Event event must reference an accepted repository or accepted event',
      count: 15,
      example: 'ab'.repeat(32),
    },
    {
      what: 'waiting',
      where: 'ws://localhost:7443',
      reason: 'invalid: no announcement exists for this repository',
      count: 2,
      example: '0f'.repeat(32),
    },
    {
      what: 'pending',
      where: 'ws://localhost:7443',
      reason: "purgatory: won't be served until git data arrives",
      count: 9,
      example: 'cd'.repeat(32),
    },
    {
      what: 'source',
      where: 'wss://relay.two',
      reason: 'threads: idle 30 s on page 3 of #E 101–200',
      count: 1,
      example: null,
    },
  ],
  repositories: [
    {
      repository: `30617:${'ab'.repeat(32)}:ngit`,
      name: 'ngit',
      missing: 412,
      sent: 398,
      waiting: 14,
      refused: 0,
      pending: 0,
    },
    {
      repository: `30617:${'cd'.repeat(32)}:my-repo`,
      name: 'My repo',
      missing: 186,
      sent: 174,
      waiting: 3,
      refused: 0,
      pending: 9,
    },
  ],
  signed: {
    stretch: { from: NOW - 40 * HOUR, to: NOW - 31 * HOUR, events: 591, of: 598 },
    histogram: [
      { from: NOW - 42 * HOUR, to: NOW - 37 * HOUR - 1, missing: 200 },
      { from: NOW - 37 * HOUR, to: NOW - 32 * HOUR - 1, missing: 398 },
    ],
  },
  notes: ['relay.two keeps its old checkpoint (never), so the next run reads all of its threads again.'],
})

/** A catchup after an outage that went well, one event refused. */
export const REPAIRED = report({
  durationMs: 12_300,
  range: { completeSince: NOW - 40 * 60, fullAt: NOW - 20 * HOUR },
  layers: [layerReport({ fetched: 20, unique: 10, held: 3, published: 7, outcomes: { accepted: 6, refused: 1 } })],
  sources: [
    {
      url: 'wss://relay.one',
      discovered: false,
      complete: true,
      reason: null,
      lastDrained: NOW - 25 * 60,
      notes: [],
      layers: [
        sourceLayer({
          mode: 'since',
          since: NOW - 40 * 60,
          anchors: { full: 0, since: 1, reconcile: 0 },
          pages: 2,
          events: 20,
          bytes: 11_000,
        }),
      ],
    },
  ],
  totals: { fetched: 20, unique: 10, held: 3, published: 7, accepted: 6, parked: 0, refused: 1 },
  problems: [
    {
      what: 'refused',
      where: 'ws://localhost:7443',
      reason: 'blocked: event contains too large tags',
      count: 1,
      example: 'ef'.repeat(32),
    },
  ],
})

/** A dry run of backfill. */
export const DRY_BACKFILL = report({
  command: 'backfill',
  dryRun: true,
  window: { since: NOW - 96 * HOUR, until: NOW - 24 * HOUR },
  layers: [
    layerReport({ fetched: 20, unique: 10, held: 3, published: 0 }),
    layerReport({ layer: 'threads', fetched: 200, unique: 100, held: 30, published: 7 }),
  ],
  totals: { fetched: 220, unique: 110, held: 33, published: 7, accepted: 0, parked: 0, refused: 0 },
})

/** The target refused everything. */
export const DOOR = report({
  exit: 1,
  complete: false,
  targetSoftware: null,
  layers: [layerReport({ fetched: 20, unique: 10, held: 3, published: 7, outcomes: { waiting: 7 } })],
  totals: { fetched: 20, unique: 10, held: 3, published: 7, accepted: 0, parked: 7, refused: 0 },
  problems: [
    {
      what: 'target',
      where: 'ws://localhost:7443',
      reason: 'auth-required: must be published by authenticated event author',
      count: 1,
      example: null,
    },
  ],
})

/** A target with everything in its status. */
export const STATUS: Status = {
  version: 1,
  stateFile: '/home/me/.local/state/ngit-sync/state.db',
  targets: [
    {
      target: 'ws://localhost:7443',
      shard: null,
      sources: [
        {
          source: 'wss://relay.three',
          state: 'unreached',
          reason: 'connect ECONNREFUSED',
          since: NOW - 60 * HOUR,
          askedAt: NOW - 29 * HOUR,
          drainedAt: null,
        },
        {
          source: 'wss://relay.two',
          state: 'partial',
          reason: 'idle 30 s on page 3 of #E 101–200',
          since: NOW - 29 * HOUR,
          askedAt: NOW - 29 * HOUR,
          drainedAt: NOW - 53 * HOUR,
        },
        {
          source: 'wss://relay.one',
          state: 'drained',
          reason: null,
          since: NOW - 240 * HOUR,
          askedAt: NOW - 29 * HOUR,
          drainedAt: NOW - 29 * HOUR,
        },
      ],
      repositories: [
        { repository: `30617:${'ef'.repeat(32)}:hello`, name: 'Hello', waiting: 17, refused: 4, pending: 1 },
        { repository: null, name: null, waiting: 0, refused: 1201, pending: 0 },
      ],
      repositoriesLeftOut: 0,
      coverage: [
        {
          source: 'wss://relay.one',
          layer: 'announcements',
          anchors: 1,
          oldestDrainedAt: NOW - 29 * HOUR,
          newestDrainedAt: NOW - 29 * HOUR,
          oldestFullAt: NOW - 29 * HOUR,
        },
        {
          source: 'wss://relay.one',
          layer: 'threads',
          anchors: 3812,
          oldestDrainedAt: NOW - 240 * HOUR,
          newestDrainedAt: NOW - 29 * HOUR,
          oldestFullAt: NOW - 264 * HOUR,
        },
        {
          source: 'wss://relay.two',
          layer: 'announcements',
          anchors: 1,
          oldestDrainedAt: NOW - 600,
          newestDrainedAt: NOW - 600,
          oldestFullAt: NOW - 20 * HOUR,
        },
      ],
      parked: [
        {
          outcome: 'waiting',
          reason: 'invalid: no announcement exists for this repository',
          count: 17,
          oldestAt: NOW - 30 * HOUR,
          nextTryAt: null,
          keptUntil: null,
          obstacle: `30617:${'ef'.repeat(32)}:hello`,
          example: 'ab'.repeat(32),
          attempts: 1,
        },
        {
          outcome: 'pending',
          reason: "purgatory: won't be served until git data arrives",
          count: 1,
          oldestAt: NOW - 120,
          nextTryAt: NOW + 1980,
          keptUntil: NOW + 1680,
          obstacle: null,
          example: 'cd'.repeat(32),
          attempts: 3,
        },
      ],
      refused: [
        {
          outcome: 'refused',
          reason: 'blocked: event contains too large tags',
          count: 1204,
          software: 'khatru 0.9',
          example: 'ef'.repeat(32),
        },
        { outcome: 'refused', reason: 'blocked', count: 1, software: null, example: null },
      ],
      runs: [
        {
          startedAt: NOW - 60,
          durationMs: null,
          command: 'catchup',
          exit: null,
          published: 0,
          parked: 0,
          reason: null,
        },
        {
          startedAt: NOW - 29 * HOUR,
          durationMs: 571_000,
          command: 'catchup',
          exit: 3,
          published: 598,
          parked: 26,
          reason: null,
        },
        {
          startedAt: NOW - 240 * HOUR,
          durationMs: 1400,
          command: 'backfill',
          exit: 0,
          published: 0,
          parked: 0,
          reason: null,
        },
      ],
      lock: { pid: 4711, host: 'git.example.org', startedAt: NOW - 60 },
    },
    {
      target: 'wss://new.example',
      shard: null,
      sources: [],
      coverage: [],
      repositories: [],
      repositoriesLeftOut: 0,
      parked: [],
      refused: [],
      runs: [],
      lock: null,
    },
  ],
}

const DIFFERENCES = [
  {
    layer: 'threads',
    kind: 1111,
    repository: `30617:${'ab'.repeat(32)}:ngit`,
    sourceHas: 20,
    targetHas: 6,
    missing: 14,
  },
] as const

/** What `check --copies 3` counted: a repository that relay.two lacks most of, and an end that was not read. */
export const COPIES: CopiesReport = {
  wanted: 3,
  service: 'git.example.org',
  ends: [
    { url: 'ws://localhost:7443', isTarget: true, events: 4_790, lacks: 3, reason: null },
    { url: 'wss://relay.one', isTarget: false, events: 4_812, lacks: 0, reason: null },
    { url: 'wss://relay.two', isTarget: false, events: 4_769, lacks: 43, reason: null },
    { url: 'wss://relay.three', isTarget: false, events: 1_000, lacks: 0, reason: 'idle 30 s on page 3' },
  ],
  events: 4_812,
  withoutRepository: 12,
  below: 40,
  undecided: 3,
  histogram: [
    { copies: 1, events: 40 },
    { copies: 2, events: 3 },
    { copies: 3, events: 3_769 },
    { copies: 4, events: 1_000 },
  ],
  repositories: [
    {
      repository: `30617:${'ab'.repeat(32)}:ngit`,
      name: 'ngit',
      events: 120,
      fewest: 1,
      below: 40,
      undecided: 3,
      lacking: [
        { url: 'wss://relay.two', events: 43 },
        { url: 'ws://localhost:7443', events: 3 },
      ],
      example: 'cd'.repeat(32),
    },
  ],
  repositoriesLeftOut: 0,
  list: [{ id: 'cd'.repeat(32), repository: `30617:${'ab'.repeat(32)}:ngit`, at: ['wss://relay.one'] }],
}

/** What `check` reports when the target lacks something, with every field filled in. */
export const CHECKED = report({
  command: 'check',
  exit: 5,
  complete: false,
  check: {
    missing: 14,
    waiting: 0,
    needsFull: false,
    differences: DIFFERENCES,
    histogram: [{ from: NOW - 7200, to: NOW - 3601, missing: 14 }],
    sample: { number: 1, of: 7, repositories: 2, events: 31, damaged: 0 },
    copies: COPIES,
    ids: ['cd'.repeat(32)],
    both: [{ source: 'wss://relay.one', missing: 14, differences: DIFFERENCES }],
  },
})
