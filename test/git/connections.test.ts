import { describe, expect, it } from 'vitest'

import { SyncError } from '../../src/errors.ts'
import { createAuthority, startFront } from '../support/front-server.ts'
import { createGitRepository } from '../support/git-repository.ts'
import { startGitServer } from '../support/git-server.ts'
import { gitAccess, named, strange } from './git-scene.ts'

const NPUB = 'npub1alice'
const ADDRESS = '30617:a:hello'

async function hostRepository() {
  const server = await startGitServer()
  const repository = await createGitRepository('hello')
  await server.host(NPUB, 'hello', repository)
  return { server, commit: repository.commit }
}

describe('a git server at an IPv6 address', () => {
  async function setScene() {
    const { server, commit } = await hostRepository()
    const port = await startFront(server.port, { host: '::1' })
    return { server, commit, url: `http://[::1]:${port}/${NPUB}/hello.git` }
  }

  it('is asked, fetched from and pushed to where the operator named it', async () => {
    const { server, commit, url } = await setScene()
    const access = gitAccess()
    expect(await access.listRefs(named(url))).toMatchObject({ type: 'refs', head: 'refs/heads/main' })
    expect(await access.probe(named(url), [commit])).toEqual(new Map([[commit, 'has it']]))
    const workshop = await access.openWorkshop(ADDRESS)
    const fetched = await workshop.fetch(named(url), [commit], new Set([commit]))
    expect(fetched).toEqual({ reason: null, isTooLarge: false })
    server.acceptAll(NPUB, 'hello')
    expect(await workshop.push(named(url), [{ ref: 'refs/heads/new', to: commit }])).toEqual({ type: 'pushed' })
    expect(await access.proveClone(named(url))).toEqual({ type: 'sound' })
  })

  it('is dialled for a stranger only if private addresses are allowed', async () => {
    const { server, url } = await setScene()
    expect(await gitAccess({ allowPrivate: true }).listRefs(strange(url))).toMatchObject({ type: 'refs' })
    const asked = server.requests.length
    expect(await gitAccess().listRefs(strange(url))).toEqual({ type: 'not asked', reason: 'its host is private' })
    expect(server.requests.length).toBe(asked)
  })

  it.each([
    ['fd00::1', 'its host is private'],
    ['::ffff:127.0.0.1', 'its host is private'],
    ['::ffff:7f00:1', 'its host is private'],
    ['64:ff9b::127.0.0.1', 'its host is private'],
    ['fe80::1', 'its host is reserved'],
    ['fe80::1%lo', 'it is not a URL'],
    ['fe80::1%25lo', 'it is not a URL'],
    ['::', 'its host is reserved'],
  ])('is not dialled at %s for a stranger, nor does git dial it', async (address, reason) => {
    const access = gitAccess()
    const place = strange(`http://[${address}]:1/${NPUB}/hello.git`)
    expect(await access.listRefs(place)).toEqual({ type: 'not asked', reason })
    const workshop = await access.openWorkshop(ADDRESS)
    expect(await workshop.fetch(place, ['1'.repeat(40)], new Set())).toEqual({ reason, isTooLarge: false })
    expect(access.costs().requests).toBe(0)
  })
})

describe('a git server with TLS', () => {
  async function setScene() {
    const { server, commit } = await hostRepository()
    const authority = await createAuthority()
    const port = await startFront(server.port, { certificate: authority.certificate })
    return { commit, authority, place: named(`https://127.0.0.1:${port}/${NPUB}/hello.git`) }
  }

  it('is unreachable if nobody vouches for its certificate, in words that say so', async () => {
    const { commit, place } = await setScene()
    const access = gitAccess()
    const listing = await access.listRefs(place)
    expect(listing.type).toBe('unreachable')
    expect(listing).toMatchObject({ reason: expect.stringMatching(/^its TLS certificate is not trusted: /) as string })
    const workshop = await access.openWorkshop(ADDRESS)
    const { reason } = await workshop.fetch(place, [commit], new Set([commit]))
    expect(reason).toMatch(/^its TLS certificate is not trusted: /)
    expect(reason).not.toContain('https://')
  })

  it('is fetched from if its authority is in NODE_EXTRA_CA_CERTS', async () => {
    const { commit, authority, place } = await setScene()
    const workshop = await gitAccess({ extraCertificates: authority.file }).openWorkshop(ADDRESS)
    const fetched = await workshop.fetch(place, [commit], new Set([commit]))
    expect(fetched).toEqual({ reason: null, isTooLarge: false })
  })

  it('is not trusted because of another authority', async () => {
    const { commit, place } = await setScene()
    const other = await createAuthority()
    const workshop = await gitAccess({ extraCertificates: other.file }).openWorkshop(ADDRESS)
    const { reason } = await workshop.fetch(place, [commit], new Set([commit]))
    expect(reason).toMatch(/^its TLS certificate is not trusted: /)
  })

  it('ends a run at its start, in one line, if NODE_EXTRA_CA_CERTS names no file', async () => {
    const starting = gitAccess({ extraCertificates: '/nowhere/ca.pem' }).requireTool()
    await expect(starting).rejects.toThrow(SyncError)
    await expect(starting).rejects.toThrow('read the certificates that NODE_EXTRA_CA_CERTS names: ENOENT')
  })
})
