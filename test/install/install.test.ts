import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeRelease } from './node-releases.ts'
import { createPlace, type Output, type Place } from './place.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MIB = 1024 * 1024
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

  it('takes 42 packages and 40 MiB at most', () => {
    const files = place.files()
    const packages = files.filter(({ path }) => /\/node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(path))
    expect(packages.length).toBeLessThanOrEqual(42)
    expect(files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(40 * MIB)
  })

  it('plays the demo, without a warning about SQLite', () => {
    const { code, stdout, stderr } = place.run('demo')
    expect([code, stdout.match(/^complete \(0\)/gm)?.length]).toEqual([0, 3])
    expect(stderr).not.toMatch(/warning|experimental/i)
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
