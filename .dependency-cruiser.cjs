// Import rules: `npx depcruise --config .dependency-cruiser.cjs src`

/** Only these may import a package. */
const only = (name, pkg, allowed) => ({
  name,
  severity: 'error',
  from: { path: '^src', pathNot: allowed },
  to: { path: `node_modules/(${pkg})/|^node:(${pkg})|^(${pkg})(/|$)` },
})

/** Files below `from` import nothing of src but these. */
const restrict = (name, from, ...to) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^src', pathNot: [from, '^src/(errors|time|layer-name|run-event)\\.ts$', ...to] },
})

/** The chapters of a run, from the ground up, and what each may import beside BASE. */
const CHAPTERS = {
  withdraw: [],
  scope: [],
  receive: [],
  trust: ['scope'],
  discover: ['scope'],
  check: ['scope', 'withdraw', 'select'],
  why: ['scope', 'receive'],
  select: ['scope', 'withdraw', 'receive'],
  read: ['scope', 'receive', 'trust', 'discover', 'select'],
  publish: ['scope', 'withdraw', 'select'],
  repair: ['scope', 'git'],
  serve: ['scope', 'select'],
}
const BASE = 'nostr|relay|report|store|run|checkpoint'
/** The interface of a database, and the way to open one. */
const SQLITE = '^src/(sqlite|database)\\.ts$'
const WIRING =
  '^src/cli/(run-program|watch-run|monitor/load-history|merge/read-reports|demo|open-git|report-lists|\\w+-command)\\.ts$'

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    restrict('nostr-is-the-floor', '^src/nostr/'),
    restrict('relay-knows-nostr-only', '^src/relay/', '^src/nostr/'),
    restrict('report-is-plain', '^src/report/', '^src/nostr/'),
    restrict('checkpoint-is-plain', '^src/checkpoint/', '^src/nostr/'),
    restrict('store-keeps-plain-types', '^src/store/', '^src/(nostr|report|checkpoint)/', SQLITE),
    restrict('file-is-an-endpoint', '^src/file/', '^src/nostr/', '^src/relay/endpoint\\.ts$', SQLITE),
    restrict(
      'host-is-a-relay',
      '^src/host/',
      '^src/(nostr|relay/negentropy)/',
      SQLITE,
      '^src/file/(index-query|temporary-database)\\.ts$',
    ),
    restrict('demo-stands-alone', '^src/demo/', '^src/(nostr|host)/', SQLITE, '^src/file/index-query\\.ts$'),
    restrict('test-relay-stands-alone', '^src/test-relay/', '^src/nostr/', SQLITE),
    {
      name: 'test-relay-is-for-tests',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/test-relay/' },
      to: { path: '^src/test-relay/|node_modules/@nostr-relay' },
    },
    restrict(
      'run-imports-no-chapter',
      '^src/run/',
      '^src/(nostr|relay|report|checkpoint|store)/',
      '^src/git/git-access\\.ts$',
    ),
    restrict('git-knows-sockets-only', '^src/git/', '^src/relay/socket/', '^src/nostr/host\\.ts$'),
    {
      name: 'only-wiring-opens-git',
      severity: 'error',
      from: { path: '^src', pathNot: `${WIRING}|^src/git/` },
      to: { path: '^src/git/(?!git-access|ref-name|object-id)', dependencyTypesNot: ['type-only'] },
    },
    ...Object.entries(CHAPTERS).map(([name, others]) =>
      restrict(`${name}-imports-by-name`, `^src/${name}/`, `^src/(${[BASE, ...others].join('|')})/`),
    ),
    {
      name: 'socket-knows-no-pages',
      severity: 'error',
      from: { path: '^src/relay/(socket|pace)/' },
      to: { path: '^src/relay/(paging|negentropy)/' },
    },
    {
      name: 'paging-knows-no-negentropy',
      severity: 'error',
      from: { path: '^src/relay/paging/' },
      to: { path: '^src/relay/negentropy/' },
    },
    {
      name: 'core-never-imports-cli',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'parse-and-render-are-apart',
      severity: 'error',
      from: { path: '^src/cli/render/' },
      to: { path: '^src/cli/parse/' },
    },
    {
      name: 'only-wiring-opens-the-outside-world',
      severity: 'error',
      from: { path: '^src', pathNot: `${WIRING}|^src/(store|file|host|demo|test-relay)/` },
      to: {
        path: '^src/(relay/websocket-relay|store/(?!state-key)|host/|file/(?!file-error))',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'only-wiring-calls-sync',
      severity: 'error',
      from: { path: '^src', pathNot: WIRING },
      to: { path: '^src/sync\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    only('terminal-packages-in-cli', 'commander|ora|chalk|cli-table3', '^src/cli/'),
    only('yaml-in-config', 'yaml', '^src/cli/config/'),
    only('nostr-tools-in-nostr-and-relay', 'nostr-tools|ws', '^src/(nostr|relay|host|test-relay)/'),
    only(
      'fs-in-store',
      'fs|fs/promises|path|os',
      '^src/(store|file|git|cli|demo|test-relay)/|^src/node-database\\.ts$',
    ),
    only('programs-are-started-in-one-place', 'child_process', '^src/git/run-git\\.ts$|^src/cli/|^src/demo/'),
    {
      name: 'sqlite-in-store',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/(store|file|host|demo|test-relay)/' },
      to: { path: '^src/sqlite\\.ts$' },
    },
    {
      name: 'sqlite-is-chosen-once',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/sqlite\\.ts$' },
      to: { path: 'node_modules/better-sqlite3', dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
}
