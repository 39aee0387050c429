import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeRelease } from './node-releases.ts'
import { createPlace, type Output, type Place } from './place.ts'
import { startRealRelay } from '../support/real-relay.ts'
import { smallRepository } from '../support/scenes.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MIB = 1024 * 1024
const FIRST_HOUR = readFileSync(new URL('../../docs/first-hour.md', import.meta.url), 'utf8')
const { events: EVENTS } = smallRepository()
/** What keeps state: the database, `kill -9`, the lock, the relay of the demo. */
const STATEFUL = ['test/database.test.ts', 'test/store', 'test/file', 'test/demo', 'test/e2e/crash.test.ts']

describe.each(['22.23.3', '24.21.0'])('on Node %s without a compiler', (version) => {
  let node = ''
  let place: Place
  let installed: Output

  beforeAll(async () => {
    node = await nodeRelease(version)
    place = createPlace(node)
    installed = place.install()
  })
  afterAll(() => place.close())

  it('the packed program is installed, and nothing is fetched but packages', () => {
    expect(installed).toMatchObject({ code: 0 })
    const fetched = installed.stderr.match(/(?<=^npm http .*)https?:\/\/\S+/gm) ?? []
    expect(fetched.length).toBeGreaterThan(40)
    expect(fetched.filter((url) => !url.startsWith(place.registry))).toEqual([])
  })

  it('nothing is compiled, and no binary is there', () => {
    expect(place.files().filter(({ path }) => /\.(?:node|so|o|exe)$|\/build\/Release\//.test(path))).toEqual([])
  })

  it('takes 43 packages and 40 MiB at most', () => {
    const files = place.files()
    const packages = files.filter(({ path }) => /\/node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(path))
    expect(packages.length).toBeLessThanOrEqual(43)
    expect(files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(40 * MIB)
  })

  it('plays the demo, without a warning about SQLite', () => {
    const { code, stdout, stderr } = place.run('demo')
    expect([code, stdout.match(/^complete \(0\)/gm)?.length]).toEqual([0, 3])
    expect(stderr).not.toMatch(/warning|experimental/i)
  })

  it('goes from docs/first-hour.md to a nightly run with metrics', async () => {
    const [source, target] = await Promise.all([
      startRealRelay({ events: EVENTS, ownProcess: true }),
      startRealRelay({ ownProcess: true }),
    ])
    try {
      const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(FIRST_HOUR) ?? []
      const text = yaml.replace('ws://localhost:7444', source.url).replace('ws://localhost:7443', target.url)
      place.write('.config/ngit-sync/config.yaml', text)
      expect(place.run('check', '--source', source.url, '--target', target.url)).toMatchObject({ code: 5, stderr: '' })
      const commands = [...FIRST_HOUR.matchAll(/`ngit-sync (c[^`]* --profile [^`]*|config)`/g)].map(
        ([, words = '']) => words,
      )
      expect(commands).toHaveLength(4)
      for (const words of commands) expect(place.run(...words.split(' ')), words).toMatchObject({ code: 0, stderr: '' })
      expect(target.events()).toHaveLength(EVENTS.length)
      expect(place.read('.config/ngit-sync/ngit-sync-nightly.prom')).toMatch(/^ngit_sync_last_run_exit_code\{.*\} 0$/m)
    } finally {
      await Promise.all([source.close(), target.close()])
    }
  })

  it('passes the tests of all that keeps state', async () => {
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--maxWorkers=2', ...STATEFUL]
    const { stdout } = await promisify(execFile)(node, vitest, { cwd: ROOT, maxBuffer: 64 * MIB })
    expect(stdout).not.toMatch(/\d+ failed/)
  })
})

describe.runIf(process.versions.node.startsWith('20.'))('on Node 20 without a compiler', () => {
  const place = createPlace(process.execPath)
  afterAll(() => place.close())

  it('the packed program is installed, and says what it lacks', () => {
    // As where no prebuilt binary can be fetched.
    expect(place.install({ npm_config_build_from_source: 'true' })).toMatchObject({ code: 0 })
    const { code, stderr } = place.run('demo')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: load better-sqlite3, which Node 20\S+ needs: .*\nhint: use Node 22\.16 or newer/)
  })
})
