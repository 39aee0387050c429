import { npubEncode } from 'nostr-tools/nip19'
import { describe, expect, it } from 'vitest'

import { announcement, graspList, issue, repositoryAddress, state } from '../support/builders.ts'
import { listedRepository, listing, SERVICE } from '../support/listed-repository.ts'
import { alice, bob, carol, dave, smallRepository } from '../support/scenes.ts'
import { createWorkbench, endArguments, idsOf } from '../support/workbench.ts'

const START = 1_700_000_000

describe('--scope listed', () => {
  it('takes a repository that names the service in clone and relays, with all that belongs to it', async () => {
    const bench = createWorkbench()
    const { events } = listedRepository()
    const other = smallRepository({ owner: carol, d: 'elsewhere', startAt: START, relays: ['wss://other.example'] })
    const [source, target] = await Promise.all([bench.real({ events: [...events, ...other.events] }), bench.real()])
    const { code, report } = await bench.catchup(source, target, '--scope', 'listed', '--service', SERVICE)
    expect(idsOf(target.events())).toEqual(idsOf(events))
    expect(report.scope).toEqual({ kind: 'listed', why: '--scope listed', repositories: 1 })
    expect(code).toBe(0)
  })

  it('compares parsed URLs: no host that only looks like the service is taken', async () => {
    const bench = createWorkbench()
    const good = listing('good', 'https://grasp.example.com/npub1/good.git', SERVICE)
    const traps = [
      listing('longer-host', 'https://grasp.example.com.evil.org/x.git', 'wss://grasp.example.com.evil.org'),
      listing('subdomain-of-it', 'https://my.grasp.example.com/x.git', 'wss://my.grasp.example.com'),
      listing('shorter-host', 'https://example.com/x.git', 'wss://example.com'),
      listing('in-the-path', 'https://evil.org/grasp.example.com/x.git', 'wss://evil.org/grasp.example.com'),
      listing(
        'in-the-query',
        'https://evil.org/?u=https://grasp.example.com',
        'wss://evil.org/?wss://grasp.example.com',
      ),
      listing('as-user-name', 'https://grasp.example.com@evil.org/x.git', 'wss://grasp.example.com@evil.org'),
      listing('other-port', 'https://grasp.example.com:8443/x.git', 'wss://grasp.example.com:8443'),
      listing('relays-only', 'https://other.example/x.git', SERVICE),
      listing('clone-only', 'https://grasp.example.com/x.git', 'wss://other.example'),
      listing('one-port-differs', 'https://grasp.example.com/x.git', 'wss://grasp.example.com:8443'),
      listing('plain-http-at-another-port', 'http://grasp.example.com:443/x.git', SERVICE),
      listing('relay-below-a-path', 'https://grasp.example.com/x.git', 'wss://grasp.example.com/relay'),
      listing('no-url', 'https://', 'grasp.example.com'),
      announcement(alice, 'in-another-tag', {
        createdAt: START,
        tags: [['web', 'https://grasp.example.com', SERVICE]],
      }),
    ]
    const [source, target] = await Promise.all([bench.real({ events: [good, ...traps] }), bench.real()])
    await bench.catchup(source, target, '--scope', 'listed', '--service', SERVICE)
    expect(idsOf(target.events())).toEqual([good.id])
  })

  it.each([
    ['upper case', 'https://GRASP.Example.COM/x.git', 'WSS://GRASP.EXAMPLE.COM/'],
    ['the default port', 'https://grasp.example.com:443/x.git', 'wss://grasp.example.com:443'],
    ['a dot at the end of the host', 'https://grasp.example.com./x.git', 'wss://grasp.example.com.'],
    ['any path of a clone URL', 'https://grasp.example.com/a/b/c/x.git', 'wss://grasp.example.com/'],
    ['another scheme with its own port', 'http://grasp.example.com/x.git', 'ws://grasp.example.com'],
    ['no scheme', 'grasp.example.com/x.git', 'grasp.example.com'],
  ])('knows the service by %s', async (_what, clone, relay) => {
    const bench = createWorkbench()
    const event = listing('hello', clone, relay)
    const [source, target] = await Promise.all([bench.scripted({ events: [event] }), bench.scripted()])
    await bench.catchup(source, target, '--scope', 'listed', '--service', SERVICE)
    expect([...target.events.keys()]).toEqual([event.id])
  })

  it.each([
    ['--service', (url: string) => [url, '--service', `${SERVICE}/grasp`]],
    ['the URL of the target', (url: string) => [`${url}/grasp`]],
  ])('takes what names a service below the path of %s, and not what names its host alone', async (what, ends) => {
    const bench = createWorkbench()
    const target = await bench.scripted()
    const [url = '', ...args] = ends(target.url)
    const service = what === '--service' ? SERVICE : target.url
    const clone = `${service.replace(/^ws/, 'http')}/grasp/npub1/x.git`
    const below = listing('below', clone, `${service}/grasp/`)
    const traps = [
      listing('the-host-alone', clone.replace('/grasp', ''), service),
      listing('a-path-that-begins-alike', clone, `${service}/graspx`),
      listing('capitals', clone, `${service}/GRASP`),
    ]
    const source = await bench.scripted({ events: [below, ...traps] })
    const { code } = await bench.run(['catchup', ...endArguments(source, url), '--scope', 'listed', ...args])
    expect([code, idsOf(target.events.values())]).toEqual([0, [below.id]])
  })

  it('finds the service among several URLs of one tag, and in tags that stand several times', async () => {
    const bench = createWorkbench()
    const one = announcement(alice, 'one-tag', {
      createdAt: START,
      clone: ['https://other.example/x.git', 'https://grasp.example.com/x.git'],
      relays: ['wss://other.example', SERVICE],
    })
    const several = announcement(alice, 'several-tags', {
      createdAt: START + 1,
      clone: ['https://other.example/x.git'],
      relays: ['wss://other.example'],
      tags: [
        ['clone', 'https://grasp.example.com/x.git'],
        ['relays', SERVICE],
      ],
    })
    const [source, target] = await Promise.all([bench.real({ events: [one, several] }), bench.real()])
    await bench.catchup(source, target, '--scope', 'listed', '--service', SERVICE)
    expect(idsOf(target.events())).toEqual(idsOf([one, several]))
  })

  it('goes by the newest announcement: a repository that has left is no longer taken', async () => {
    const bench = createWorkbench()
    const { announced, issue: bug } = listedRepository()
    const left = announcement(alice, 'hello', { createdAt: announced.created_at + 60, relays: ['wss://other.example'] })
    const stays = listing('stays', 'https://grasp.example.com/x.git', SERVICE)
    const [first, second, target] = await Promise.all([
      bench.real({ events: [announced, bug, stays] }),
      bench.real({ events: [left] }),
      bench.real(),
    ])
    await bench.catchup([first, second], target, '--scope', 'listed', '--service', SERVICE)
    expect(idsOf(target.events())).toEqual([stays.id])
  })

  it('takes the announcements and states of maintainers, recursively, for the same identifier only', async () => {
    const bench = createWorkbench()
    const clone = ['https://grasp.example.com/x.git']
    const owner = announcement(alice, 'hello', { createdAt: START, clone, relays: [SERVICE], maintainers: [bob] })
    const second = announcement(bob, 'hello', { createdAt: START + 1, maintainers: [carol] })
    const third = announcement(carol, 'hello', { createdAt: START + 2 })
    const states = [alice, bob, carol].map((key, index) => state(key, 'hello', { createdAt: START + 10 + index }))
    const theirIssue = issue(repositoryAddress(carol, 'hello'), dave, { createdAt: START + 20 })
    const wanted = [owner, second, third, ...states, theirIssue]
    const unwanted = [
      announcement(bob, 'other', { createdAt: START + 3 }),
      state(bob, 'other', { createdAt: START + 4 }),
      announcement(dave, 'hello', { createdAt: START + 5, maintainers: [alice, bob] }),
      state(dave, 'hello', { createdAt: START + 6 }),
    ]
    const [source, target] = await Promise.all([bench.real({ events: [...wanted, ...unwanted] }), bench.real()])
    const { report } = await bench.catchup(source, target, '--scope', 'listed', '--service', SERVICE)
    expect(idsOf(target.events())).toEqual(idsOf(wanted))
    expect(report.scope.repositories).toBe(3)
  })

  it.each(['maintainers', 'm'])(
    'takes the state of a maintainer who is written as npub in %s (no false green #9)',
    async (tag) => {
      const bench = createWorkbench()
      const clone = ['https://grasp.example.com/x.git']
      const names = { clone, relays: [SERVICE] }
      const owner = announcement(alice, 'hello', { createdAt: START, ...names, tags: [[tag, npubEncode(bob.pubkey)]] })
      const accepted = announcement(bob, 'hello', { createdAt: START + 1, ...names, maintainers: [alice] })
      const pushed = state(bob, 'hello', { createdAt: START + 2 })
      const [source, target] = await Promise.all([bench.real({ events: [owner, accepted, pushed] }), bench.real()])
      const { code } = await bench.catchup(source, target, '--repo', repositoryAddress(alice, 'hello'))
      expect([code, idsOf(target.events())]).toEqual([0, idsOf([owner, accepted, pushed])])
    },
  )

  it('counts a maintainer that is not understood (no false green #9)', async () => {
    const bench = createWorkbench()
    const owner = announcement(alice, 'hello', { createdAt: START, tags: [['maintainers', 'npub1nonsense']] })
    const [source, target] = await Promise.all([bench.real({ events: [owner] }), bench.real()])
    const { report } = await bench.catchup(source, target)
    expect(report.notes.join()).toContain('names maintainers that are not understood')
  })

  it('takes the grasp lists of owners and maintainers only', async () => {
    const bench = createWorkbench()
    const clone = ['https://grasp.example.com/x.git']
    const owner = announcement(alice, 'hello', { createdAt: START, clone, relays: [SERVICE], maintainers: [bob] })
    const lists = [alice, bob, carol].map((key, index) => graspList(key, [SERVICE], { createdAt: START + 10 + index }))
    const [source, target] = await Promise.all([bench.real({ events: [owner, ...lists] }), bench.real()])
    await bench.catchup(source, target, '--scope', 'listed', '--service', SERVICE)
    expect(idsOf(target.events())).toEqual(idsOf([owner, ...lists.slice(0, 2)]))
  })

  it('uses the URL of the target where no service is named', async () => {
    const bench = createWorkbench()
    const target = await bench.real()
    const { events } = listedRepository(target.url)
    const source = await bench.real({ events: [...events, listing('other', 'https://a.example/x', 'wss://a.example')] })
    await bench.catchup(source, target, '--scope', 'listed')
    expect(idsOf(target.events())).toEqual(idsOf(events))
  })

  it('ends with 2 when it matches nothing, and names the hosts that announcements name most', async () => {
    const bench = createWorkbench()
    const events = [
      ...['a', 'b', 'c'].map((d) => listing(d, 'https://most.example/x.git', 'wss://most.example')),
      listing('dd', 'https://once.example:8443/x.git', 'wss://once.example:8443'),
    ]
    const [source, target] = await Promise.all([bench.real({ events }), bench.real()])
    const { code, stdout, stderr } = await bench.catchup(source, target, '--scope', 'listed')
    expect([code, JSON.parse(stdout)]).toMatchObject([2, { exit: 2 }])
    expect(stderr).toContain(`127.0.0.1:${target.port}`)
    expect(stderr).toMatch(/most\.example:443, once\.example:8443.*--service/s)
    expect(target.events()).toEqual([])
  })

  it('that matches nothing is in the history of runs as what it was, and not as killed', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([
      bench.real({ events: [listing('a', 'https://most.example/x.git', 'wss://most.example')] }),
      bench.real(),
    ])
    await bench.catchup(source, target, '--scope', 'listed')
    const { stdout } = await bench.run(['status', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ targets: [{ runs: [{ command: 'catchup', exit: 2 }] }] })
  })

  it('sends the announcement of the owner before older ones of maintainers, and then the states', async () => {
    const bench = createWorkbench()
    const clone = ['https://grasp.example.com/x.git']
    const owner = announcement(alice, 'hello', { createdAt: START + 900, clone, relays: [SERVICE], maintainers: [bob] })
    const second = announcement(bob, 'hello', { createdAt: START })
    const states = [bob, alice].map((key, index) => state(key, 'hello', { createdAt: START + 10 + index }))
    const source = await bench.real({ events: [second, ...states, owner] })
    const target = await bench.scripted()
    await bench.catchup(source, target, '--scope', 'listed', '--service', SERVICE)
    expect(target.received.events).toEqual([owner, second, ...states])
  })

  it('is partial when there is nothing at all on either side: nothing was compared (no false green #2)', async () => {
    const bench = createWorkbench()
    const [source, target] = await Promise.all([bench.real(), bench.real()])
    const { code, report } = await bench.catchup(source, target, '--scope', 'listed')
    expect(report.problems).toMatchObject([{ reason: expect.stringMatching(/nothing was compared/) as string }])
    expect(code).toBe(3)
  })
})
