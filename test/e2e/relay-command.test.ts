import { writeFileSync } from 'node:fs'

import { nsecEncode } from 'nostr-tools/nip19'
import { describe, expect, it, onTestFinished } from 'vitest'

import type { RelayInspection } from '../../src/relay/inspection.ts'
import { announcement, SOME_TIME } from '../support/builders.ts'
import { refusesMany } from '../support/refuses-many.ts'
import { runCli } from '../support/run-cli.ts'
import { runHere } from '../support/run-here.ts'
import { alice, smallRepository } from '../support/scenes.ts'
import { startScriptedRelay, type ScriptedRelay, type ScriptedRelayOptions } from '../support/scripted-relay.ts'
import { keyOf } from '../support/sign.ts'
import { createWorkbench } from '../support/workbench.ts'

const mine = smallRepository()
const operator = keyOf('operator')

async function scripted(options: ScriptedRelayOptions): Promise<ScriptedRelay> {
  const relay = await startScriptedRelay(options)
  onTestFinished(() => relay.close())
  return relay
}

async function inspect(relay: { readonly url: string }, ...args: readonly string[]): Promise<RelayInspection> {
  const { code, stderr, json } = await runHere(['relay', relay.url, '--json', ...args])
  expect([code, stderr]).toEqual([0, ''])
  return json<RelayInspection>()
}

describe('relay', () => {
  it('tells as JSON what the relay says of itself and what it did, and writes nothing', async () => {
    const document = {
      name: 'a relay',
      software: 'https://git.example/ngit-grasp',
      version: '1.0.2',
      supported_grasps: ['GRASP-01'],
      limitation: { max_message_length: 65_536, max_subscriptions: 20, max_limit: 500 },
    }
    const relay = await scripted({ events: mine.events, negentropy: true, document })
    const inspection = await inspect(relay)
    expect(inspection).toMatchObject({
      version: 1,
      url: relay.url,
      document: {
        error: null,
        name: 'a relay',
        software: 'https://git.example/ngit-grasp',
        version: '1.0.2',
        supportedNips: [1, 9, 11, 77],
        supportedGrasps: ['GRASP-01'],
        maxMessageBytes: 65_536,
        maxSubscriptions: 20,
        maxLimit: 500,
      },
      rate: { burst: 60, intervalMs: 1_010 },
      reading: { works: true, reason: null, page: { rows: 4, isCut: false } },
      authentication: { challenges: false, isRequiredToRead: false, isKeyAccepted: null, keyFailure: null },
      negentropy: { works: true, isAnnounced: true, reason: null },
      clockOffsetSeconds: expect.any(Number) as number,
    })
    expect(inspection.reading.roundTripMs).toBeGreaterThan(0)
    expect(relay.received.events).toEqual([])
  })

  it('tells the same as a table', async () => {
    const relay = await scripted({ events: mine.events, requireAuth: [], document: { name: 'evil \u001b[2J' } })
    const { code, stdout } = await runHere(['relay', relay.url])
    expect(code).toBe(0)
    const labels = stdout.split('\n').map((line) => line.slice(0, 14).trim())
    expect(labels.filter((label) => label !== '')).toEqual([
      'relay',
      'name',
      'software',
      'NIPs',
      'GRASPs',
      'limits',
      'reading',
      'page',
      'NIP-42 AUTH',
      'NIP-77 sync',
      'clock',
    ])
    expect(stdout).toContain('evil \\x1b[2J')
    const words = stdout.replaceAll(/\s+/g, ' ')
    expect(words).toContain('does not work (not announced): "failed to parse envelope: unknown envelope label"')
  })

  it.each([
    ['refuses', { error: 'blocked: too many query results' }, 'blocked: too many query results'],
    ['says so in a NOTICE', { notice: 'ERROR: negentropy disabled' }, 'ERROR: negentropy disabled'],
  ] as const)('says that NIP-77 does not work although announced, when the relay %s', async (_, decision, reason) => {
    const relay = await scripted({ negentropy: true, onNegOpen: () => decision })
    const { negentropy } = await inspect(relay)
    expect(negentropy).toEqual({ works: false, isAnnounced: true, reason })
  })

  it('measures the page of a relay that cuts it off', async () => {
    const events = Array.from({ length: 30 }, (_, n) => announcement(alice, `r${n}`, { createdAt: SOME_TIME + n }))
    const relay = await scripted({
      events,
      onReq: ({ filters: [filter], answer }) =>
        filter?.limit === undefined ? { ...answer, rows: answer.rows.slice(0, 10) } : 'default',
    })
    expect((await inspect(relay)).reading.page).toEqual({ rows: 10, isCut: true })
  })

  it('shows which filters are too large for a relay that says so nowhere (no false green #13)', async () => {
    const relay = await scripted({
      onReq: ({ filters: [filter] }) =>
        (filter?.ids?.length ?? 0) > 10
          ? { rows: [], end: { type: 'closed', reason: 'invalid: too many values' } }
          : 'default',
    })
    expect((await inspect(relay)).refusesOver).toEqual({
      maxFilterValues: 7,
      maxFilterBytes: null,
      maxOpenRequests: null,
    })
    expect((await runHere(['relay', relay.url])).stdout).toMatch(/refuses +filters of more than 7 values/)
  })

  it('shows how many questions are too many for a relay that says so nowhere (no false green #13)', async () => {
    const relay = await scripted(refusesMany({ type: 'closed', reason: 'error: too many concurrent REQs' }))
    const { maxOpenRequests } = (await inspect(relay)).refusesOver
    expect(maxOpenRequests).toBeOneOf([1, 2])
    expect((await runHere(['relay', relay.url])).stdout).toMatch(/refuses +more than [12] questions? at once/)
  })

  it('shows a clock that is off', async () => {
    const relay = await scripted({ dateOffsetSeconds: 3_600 })
    expect((await inspect(relay)).clockOffsetSeconds).toBeCloseTo(3_600, -1)
    expect((await runHere(['relay', relay.url])).stdout).toMatch(/clock +1 h.* ahead of ours/)
  })

  it('does without a document', async () => {
    const relay = await scripted({ events: mine.events, onDocument: () => ({ status: 404, body: '' }) })
    const inspection = await inspect(relay)
    expect(inspection).toMatchObject({
      document: { error: 'HTTP 404', software: null },
      rate: null,
      reading: { works: true },
    })
  })

  it('says what a relay without NIP-01 manners answered', async () => {
    const relay = await scripted({ closeReq: () => 'blocked: not today' })
    expect((await inspect(relay)).reading).toMatchObject({
      works: false,
      reason: 'closed: blocked: not today',
      page: null,
    })
  })
})

describe('relay at one that wants to know who reads', () => {
  it('says so without a key', async () => {
    const relay = await scripted({ events: mine.events, requireAuth: ['read'] })
    const inspection = await inspect(relay)
    expect(inspection.authentication).toEqual({
      challenges: true,
      isRequiredToRead: true,
      isKeyAccepted: null,
      keyFailure: null,
    })
    expect(inspection.reading).toMatchObject({ works: false })
    expect((await runHere(['relay', relay.url])).stdout).toContain('required to read: give a key with --key-file')
  })

  it('tries the key, and tries the rest with it', async () => {
    const bench = createWorkbench()
    const relay = await scripted({ events: mine.events, requireAuth: ['read'], negentropy: true })
    writeFileSync(bench.path('key'), nsecEncode(operator.secret), { mode: 0o600 })
    const inspection = await inspect(relay, '--key-file', bench.path('key'))
    expect(inspection).toMatchObject({
      reading: { works: true, page: { rows: 4, isCut: false } },
      authentication: { challenges: true, isRequiredToRead: true, isKeyAccepted: true, keyFailure: null },
      negentropy: { works: true },
    })
    expect(relay.received.auths.map(({ pubkey }) => pubkey)).toEqual([operator.pubkey])
  })

  it.each([
    ['restricted: you are not a member', 'it refused our key: restricted: you are not a member'],
    ['invalid: the relay tag is wrong', 'it refused our key: invalid: the relay tag is wrong; it may know itself by'],
    [undefined, 'it did not answer our AUTH'],
  ])('tells what it says to a key that it refuses: %s (no false green #3)', async (refusal, told) => {
    const bench = createWorkbench()
    const relay = await scripted({ events: mine.events, requireAuth: ['read'] })
    // The relay does not take it, whatever the key.
    relay.behaviour.onReq = ({ answer }) => ({
      ...answer,
      rows: [],
      end: { type: 'closed', reason: 'auth-required: no' },
    })
    relay.behaviour.outgoing = (frame) => {
      const [label, id] = frame
      if (label !== 'OK') return [frame]
      return refusal === undefined ? [] : [['OK', id, false, refusal]]
    }
    writeFileSync(bench.path('key'), nsecEncode(operator.secret), { mode: 0o600 })
    const args = ['--key-file', bench.path('key'), '--ok-timeout', '300ms']
    const { authentication } = await inspect(relay, ...args)
    expect(authentication).toMatchObject({ isRequiredToRead: true, isKeyAccepted: false })
    expect(authentication.keyFailure).toContain(told)
    const { stdout } = await runHere(['relay', relay.url, ...args])
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(`required to read; ${told}`)
  })

  it('keeps the key to itself where none is wanted', async () => {
    const relay = await scripted({ events: mine.events, requireAuth: ['write'] })
    const { code, stdout } = await runHere(['relay', relay.url], {
      env: { NGIT_SYNC_KEY: nsecEncode(operator.secret) },
    })
    expect([code, relay.received.auths]).toEqual([0, []])
    expect(stdout).toContain('offered, not required to read')
  })
})

describe('relay with a wrong command line', () => {
  it('exits 1 when nobody is there', async () => {
    const relay = await startScriptedRelay({})
    await relay.close()
    const { code, stdout, stderr } = await runCli(['relay', relay.url, '--retries', '0'])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(`error: connect to ${relay.url}`)
  })

  it.each([
    [[], 'no relay: give its URL'],
    [['a.jsonl'], '"a.jsonl" is not a relay'],
    [['https://relay.example'], 'give wss://'],
    [['ws://user:secret@relay.example'], 'the URL holds a user name or a password'],
    [['ws://a', 'ws://b'], 'unexpected argument "ws://b": relay takes one URL and options only'],
    [['ws://a', '--source', 'ws://b'], '--source is not an option of relay'],
    [['--bogus', 'ws://a'], 'unknown option "--bogus"'],
  ])('%j is wrong usage', async (args, problem) => {
    const { code, stdout, stderr } = await runHere(['relay', ...args])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(problem)
    expect(stderr.split('\n').filter((line) => line.startsWith('error: '))).toHaveLength(1)
  })
})
