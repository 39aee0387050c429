import { describe, expect, it } from 'vitest'

import type { Report } from '../../src/report/report.ts'
import { createAuthority, startFront } from '../support/front-server.ts'
import { startGitServer } from '../support/git-server.ts'
import { branchedRepository, OWNER, setRepairScene } from '../support/repair-scene.ts'
import { createWorkbench } from '../support/workbench.ts'

describe('catchup --git', () => {
  /** A target at ::1, and a repository whose only other git server has a certificate of a private authority. */
  async function setScene() {
    const bench = createWorkbench()
    const scene = await setRepairScene(bench)
    const server = await startGitServer()
    const authority = await createAuthority()
    const secure = await startFront(server.port, { certificate: authority.certificate })
    const git = await branchedRepository('one')
    const clone = [`https://127.0.0.1:${secure}/${OWNER}/one.git`]
    const repository = await scene.add('one', { git, isHosted: false, clone })
    const proposal = repository.expected.get(`refs/nostr/${repository.pull.id}`) ?? ''
    await server.host(OWNER, 'one', git, new Map([...(await git.refs()), ['refs/heads/proposal', proposal]]))
    const port = await startFront(scene.target.git.port, { host: '::1' })
    const ends = ['--source', scene.source.url, '--target', `ws://[::1]:${port}`, '--service', scene.target.url]
    const args = ['catchup', '--git', '--json', ...ends, '--git-allow', 'private', '--rate', 'none']
    return { bench, scene, repository, authority, args }
  }

  it('repairs a target at an IPv6 address from a server whose authority NODE_EXTRA_CA_CERTS names', async () => {
    const { bench, scene, repository, authority, args } = await setScene()
    const [, ...same] = args.filter((arg) => arg !== '--rate' && arg !== 'none')
    const refused = await bench.run(['check', ...same])
    const [row] = refused.json<Report>().git?.list ?? []
    expect([refused.code, row?.places[0]?.verdict, row?.remedy.type]).toEqual([5, 'empty', 'unknown'])
    expect(row?.places[1]).toMatchObject({ verdict: 'unreachable' })
    expect(row?.places[1]?.reason).toContain('its TLS certificate is not trusted: ')
    const { code, json } = await bench.spawn(args, { env: { NODE_EXTRA_CA_CERTS: authority.file } })
    expect([code, json<Report>().git?.repairs]).toEqual([0, { released: 1 }])
    expect(await scene.target.git.refsOf(OWNER, 'one')).toEqual(repository.expected)
  })
})
