// Import rules: `npx depcruise --config .dependency-cruiser.cjs src`
const only = (name, pkg, allowed) => ({
  name,
  severity: 'error',
  from: { path: '^src', pathNot: allowed },
  to: { path: `node_modules/(${pkg})/|^node:(${pkg})|^(${pkg})(/|$)` },
})
const STAGES = '^src/(plan|fetch|intake|select|publish|verify|waiting|checkpoint|build-report)\\.ts$'
const WIRING = '^src/cli/(main|demo|\\w+-command)\\.ts$'

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-never-imports-cli',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'only-wiring-opens-the-outside-world',
      severity: 'error',
      from: { path: '^src', pathNot: `${WIRING}|^src/(store|file|demo)/` },
      to: { path: '^src/(relay/websocket-relay|store/|file/)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-wiring-calls-sync',
      severity: 'error',
      from: { path: '^src', pathNot: `${WIRING}|^src/index\\.ts$` },
      to: { path: '^src/sync\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'stages-share-types-only',
      comment: 'sync.ts passes values from stage to stage',
      severity: 'error',
      from: { path: STAGES },
      to: { path: STAGES, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'nostr-is-the-floor',
      severity: 'error',
      from: { path: '^src/nostr/' },
      to: { path: '^src', pathNot: '^src/(nostr/|errors\\.ts|time\\.ts)' },
    },
    {
      name: 'relay-knows-nostr-only',
      severity: 'error',
      from: { path: '^src/relay/' },
      to: { path: '^src', pathNot: '^src/(relay/|nostr/|errors\\.ts|time\\.ts)' },
    },
    only('terminal-packages-in-cli', 'commander|ora|chalk|cli-table3', '^src/cli/'),
    only('nostr-tools-in-nostr-and-relay', 'nostr-tools|ws', '^src/(nostr|relay|demo)/'),
    only('fs-in-store', 'fs|fs/promises|path|os', '^src/(store|file|cli|demo)/'),
    {
      name: 'sqlite-in-store',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/(store|file|demo)/' },
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
