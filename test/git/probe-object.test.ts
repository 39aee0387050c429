import { describe, expect, it } from 'vitest'

import type { Probed } from '../../src/git/git-access.ts'
import { createGitRepository, runGit } from '../support/git-repository.ts'
import { startGitServer } from '../support/git-server.ts'
import {
  capabilities,
  endlessPack,
  htmlPage,
  oldListing,
  packet,
  redirect,
  result,
  silence,
  startHostileGitServer,
  status,
  type GitAnswer,
  type GitAnswers,
} from '../support/hostile-git-server.ts'
import { gitAccess, named, strange } from './git-scene.ts'

const NPUB = 'npub1alice'
const ABSENT = 'd'.repeat(40)

/** A server whose only ref is ahead: it shows neither the first commit nor that one's files. */
async function serveAhead(options: Parameters<typeof startGitServer>[0] = {}, format: 'sha1' | 'sha256' = 'sha1') {
  const server = await startGitServer(options)
  const repository = await createGitRepository('hello', format)
  const below = repository.commit
  const tree = await repository.git('rev-parse', `${below}^{tree}`)
  const tip = await repository.commitOn('main', 'more')
  await server.host(NPUB, 'hello', repository)
  return { server, below, tree, tip, place: named(server.urlOf(NPUB, 'hello')) }
}

async function probeHostile(answers: GitAnswers, listTimeoutMs = 30_000): Promise<Probed | undefined> {
  const server = await startHostileGitServer(answers)
  return (await gitAccess({ listTimeoutMs }).probe(named(server.url), [ABSENT])).get(ABSENT)
}

const says = (text: string): GitAnswer => result(packet(text))

describe('probe at git http-backend', () => {
  it.each([true, false])(
    'finds what no ref shows, and misses what is not there (any object: %s)',
    async (anyObject) => {
      const { place, below, tree, tip } = await serveAhead({ anyObject })
      const answers = await gitAccess().probe(place, [below, ABSENT, tip, tree])
      expect([...answers]).toEqual([
        [below, 'has it'],
        [ABSENT, 'lacks it'],
        [tip, 'has it'],
        [tree, 'has it'],
      ])
    },
  )

  it('finds objects of a repository without refs', async () => {
    const { server, place, below } = await serveAhead()
    await runGit(server.directoryOf(NPUB, 'hello'), 'update-ref', '-d', 'refs/heads/main')
    expect((await gitAccess().probe(place, [below])).get(below)).toBe('has it')
  })

  it('asks no repository for objects of the other format', async () => {
    const { server, place, below } = await serveAhead({}, 'sha256')
    const answers = await gitAccess().probe(place, [ABSENT, below])
    expect([...answers.values()]).toEqual(['lacks it', 'has it'])
    expect(server.count('fetch')).toBe(1)
  })

  it('costs a request and some hundred bytes an object, however large it is', async () => {
    const { server, place, below, tip } = await serveAhead()
    const access = gitAccess()
    await access.probe(place, [below, tip])
    expect([access.costs().requests, server.requests.length]).toEqual([3, 3])
    expect(access.costs().bytes).toBeLessThan(1_000)
  })

  it('does not know by protocol v0', async () => {
    const { place, below } = await serveAhead({ protocol: 0 })
    expect((await gitAccess().probe(place, [below])).get(below)).toBe('not known')
  })
})

describe('probe at a server that misbehaves', () => {
  it.each<[string, GitAnswer, Probed]>([
    ['sends a pack without end', endlessPack, 'has it'],
    ['begins with a shallow boundary', says('shallow-info\n'), 'has it'],
    ['says no', says(`ERR upload-pack: not our ref ${ABSENT}\n`), 'lacks it'],
    ['says no in other words', says('ERR unknown object'), 'lacks it'],
    ['says that it may not be wanted', says(`ERR want ${ABSENT} not valid`), 'not known'],
    ['says something else', says('ERR come back later'), 'not known'],
    ['says no without ERR', says(`not our ref ${ABSENT}`), 'not known'],
    ['only acknowledges', says('acknowledgments\n'), 'not known'],
    ['ends at once', result(Buffer.from('0000')), 'not known'],
    ['says nothing', result(Buffer.alloc(0)), 'not known'],
    ['sends no git protocol', result(Buffer.from('hello there')), 'not known'],
    ['shows a page', htmlPage, 'not known'],
    ['is broken', status(500), 'not known'],
    ['redirects', redirect('http://127.0.0.1:1/'), 'not known'],
    ['never answers', silence, 'not known'],
  ])('%s', async (what, fetch, probed) => {
    expect(await probeHostile({ fetch }, what === 'never answers' ? 500 : 30_000)).toBe(probed)
  })

  it('reads little of a first line that is long, and hangs up', async () => {
    let isGone = false
    const fetch: GitAnswer = (response) => {
      response.on('close', () => (isGone = true))
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' })
      response.write(`fff0packfile${'x'.repeat(3_000)}`)
    }
    expect(await probeHostile({ fetch })).toBe('not known')
    await expect.poll(() => isGone).toBe(true)
  })

  it.each<[string, GitAnswer]>([
    ['shows a page', htmlPage],
    ['is not there', status(404)],
    ['has a strange format', capabilities('md5')],
    ['is old', oldListing([`${ABSENT} refs/heads/main`])],
  ])('%s at the first question', async (_what, info) => {
    expect(await probeHostile({ info, fetch: says('packfile\n') })).toBe('not known')
  })

  it('is not dialled at a private address that a stranger named', async () => {
    const server = await startHostileGitServer()
    expect((await gitAccess().probe(strange(server.url), [ABSENT])).get(ABSENT)).toBeUndefined()
    expect(server.asked).toEqual([])
  })

  it('rejects when the run is aborted', async () => {
    const controller = new AbortController()
    const server = await startHostileGitServer({ fetch: () => controller.abort(new Error('over')) })
    const probing = gitAccess({ signal: controller.signal }).probe(named(server.url), [ABSENT])
    await expect(probing).rejects.toThrow('over')
  })
})
