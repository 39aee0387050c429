import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { verifyEvent as verifyByNostrTools } from 'nostr-tools/pure'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { SyncError } from '../../src/errors.ts'
import { computeEventId, type NostrEvent } from '../../src/nostr/event.ts'
import { verifyEvent } from '../../src/nostr/signature.ts'
import { createVerifier } from '../../src/nostr/verifier.ts'
import { keyOf, signEvent } from '../support/sign.ts'
import { realEvents } from './real-events.ts'

const WORKER = new URL('../../dist/nostr/verify-worker.js', import.meta.url)
const ALICE = keyOf('alice')

const GOOD = note('hello')
/** So many that threads are started for them. */
const MANY = Array.from({ length: 101 }, (_, n) => note(`one of many: ${n}`))

function note(content: string, tags: string[][] = []): NostrEvent {
  return signEvent(ALICE, { kind: 1, created_at: 1_750_000_000, tags, content })
}

function flipBit(hex: string, bit = 0): string {
  const bytes = Buffer.from(hex, 'hex')
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return bytes.toString('hex')
}

/** The event with other fields and the id that belongs to them: only its signature is wrong. */
function withRightId(event: NostrEvent): NostrEvent {
  return { ...event, id: computeEventId(event) }
}

describe('verifyEvent', () => {
  it.each(realEvents().map((event) => [event.kind, event.id, event] as const))(
    'finds the real event of kind %i %s valid',
    (_kind, _id, event) => expect(verifyEvent(event)).toBe('valid'),
  )

  it.each([
    ['content', { ...GOOD, content: 'hellp' }],
    ['created_at', { ...GOOD, created_at: GOOD.created_at + 1 }],
    ['kind', { ...GOOD, kind: 2 }],
    ['tags', { ...GOOD, tags: [['t', 'x']] }],
    ['pubkey', { ...GOOD, pubkey: keyOf('bob').pubkey }],
    ['a bit of the id', { ...GOOD, id: flipBit(GOOD.id) }],
    ['an upper-case id', { ...GOOD, id: GOOD.id.toUpperCase() }],
    ['a truncated id', { ...GOOD, id: GOOD.id.slice(0, 62) }],
    ['a longer id', { ...GOOD, id: `${GOOD.id}00` }],
    ['an id and a line break', { ...GOOD, id: `${GOOD.id}\n` }],
    ['an empty id', { ...GOOD, id: '' }],
  ])('says `wrong id` for %s', (_what, event) => expect(verifyEvent(event)).toBe('wrong id'))

  it.each([
    ['a flipped bit', { ...GOOD, sig: flipBit(GOOD.sig) }],
    ['a flipped bit in its second half', { ...GOOD, sig: flipBit(GOOD.sig, 511) }],
    ['the signature of another event', { ...GOOD, sig: note('other').sig }],
    ['an empty signature', { ...GOOD, sig: '' }],
    ['a truncated signature', { ...GOOD, sig: GOOD.sig.slice(0, 126) }],
    ['a longer signature', { ...GOOD, sig: `${GOOD.sig}00` }],
    ['an upper-case signature', { ...GOOD, sig: GOOD.sig.toUpperCase() }],
    ['zeros', { ...GOOD, sig: '0'.repeat(128) }],
    ['numbers out of range', { ...GOOD, sig: 'f'.repeat(128) }],
    ['the public key of another', withRightId({ ...GOOD, pubkey: keyOf('bob').pubkey })],
    ['a public key that is no point', withRightId({ ...GOOD, pubkey: 'f'.repeat(64) })],
    ['an upper-case public key', withRightId({ ...GOOD, pubkey: GOOD.pubkey.toUpperCase() })],
    ['an empty public key', withRightId({ ...GOOD, pubkey: '' })],
    ['other content under a right id', withRightId({ ...GOOD, content: 'forged' })],
  ])('says `wrong signature` for %s', (_what, event) => expect(verifyEvent(event)).toBe('wrong signature'))

  it('still says `wrong signature` for an empty signature right after a good one', () => {
    expect([GOOD, { ...GOOD, sig: '' }, GOOD].map(verifyEvent)).toEqual(['valid', 'wrong signature', 'valid'])
  })

  it('says `wrong id` for lone surrogates: such text has no UTF-8 and so no hash', () => {
    const surrogates = note('\ud800 \udfff', [['t', '\udc00']])
    expect(verifyEvent(surrogates)).toBe('wrong id')
    expect(verifyEvent({ ...surrogates, content: '\ufffd \ufffd' })).toBe('wrong id')
  })

  it('agrees with nostr-tools on events in which something may have changed', () => {
    const anyEvent = fc.constantFrom(...realEvents().filter(({ content }) => content.length < 2_000))
    fc.assert(
      fc.property(anyEvent.chain(mutated), (event) => {
        const theirs = verifyByNostrTools({ ...event, tags: event.tags.map((tag) => [...tag]) })
        expect(verifyEvent(event) === 'valid').toBe(theirs)
      }),
      { numRuns: 150 },
    )
  })
})

/** The event, or the event with one change, with or without the id that the change asks for. */
function mutated(event: NostrEvent): fc.Arbitrary<NostrEvent> {
  const changed = fc.oneof(
    fc.constant(event),
    fc.nat(255).map((bit) => ({ ...event, id: flipBit(event.id, bit) })),
    fc.nat(255).map((bit) => ({ ...event, pubkey: flipBit(event.pubkey, bit) })),
    fc.nat(511).map((bit) => ({ ...event, sig: flipBit(event.sig, bit) })),
    fc.nat(65_535).map((kind) => ({ ...event, kind })),
    fc.nat().map((created_at) => ({ ...event, created_at })),
    fc.string({ unit: 'binary' }).map((content) => ({ ...event, content })),
    fc.array(fc.array(fc.string())).map((tags) => ({ ...event, tags })),
  )
  return fc.tuple(changed, fc.boolean()).map(([copy, renewId]) => (renewId ? withRightId(copy) : copy))
}

describe.each([
  ['on two worker threads', { workers: 2, workerUrl: WORKER }],
  ['on the calling thread', { workers: 0 }],
])('createVerifier %s', (_where, options) => {
  const verifier = createVerifier(options)
  afterAll(() => verifier.close())

  it('gives one verdict for each event, in order', async () => {
    const events = Array.from({ length: 200 }, (_, i) => {
      if (i % 7 === 0) return { ...GOOD, id: flipBit(GOOD.id, i) }
      return i % 5 === 0 ? { ...GOOD, sig: flipBit(GOOD.sig, i) } : note(`note ${i}`)
    })
    expect(await verifier.verify(events)).toEqual(events.map(verifyEvent))
  })

  it('gives the same verdict to an event that is named twice', async () => {
    const forged = { ...GOOD, content: 'forged' }
    expect(await verifier.verify([GOOD, forged, GOOD, forged])).toEqual(['valid', 'wrong id', 'valid', 'wrong id'])
  })

  it('answers several batches at once', async () => {
    const batches = Array.from({ length: 8 }, (_, i) => Array.from({ length: i * 5 }, (__, n) => note(`${i} ${n}`)))
    const verdicts = await Promise.all(batches.map((events) => verifier.verify(events)))
    expect(verdicts).toEqual(batches.map((events) => events.map(() => 'valid')))
  })

  it('verifies an event of more than a megabyte', async () => {
    const large = note('€'.repeat(600_000))
    const verdicts = await verifier.verify([large, { ...large, content: `${large.content}!` }])
    expect(verdicts).toEqual(['valid', 'wrong id'])
  })
})

describe('createVerifier', () => {
  const scripted = (script: string) => ({ workers: 2, workerUrl: new URL(`data:text/javascript,${script}`) })
  const WAITS = 'setInterval(() => undefined, 60000)'
  const IMPORT_PORT = "import { parentPort } from 'node:worker_threads';"

  it('starts no thread for the first hundred signatures', async () => {
    const verifier = createVerifier(scripted('throw new Error("started")'))
    expect(await verifier.verify([])).toEqual([])
    expect(await verifier.verify([{ ...GOOD, content: 'forged' }])).toEqual(['wrong id'])
    const wrong = { ...GOOD, sig: flipBit(GOOD.sig) }
    expect(await verifier.verify([GOOD, wrong])).toEqual(['valid', 'wrong signature'])
    expect(new Set(await verifier.verify(MANY.slice(0, 98)))).toEqual(new Set(['valid']))
    await expect(verifier.verify([GOOD])).rejects.toThrow('a worker thread failed: started')
    await verifier.close()
  })

  it('fails the batch of a thread that cannot start, and every later one', async () => {
    const verifier = createVerifier(scripted('throw new Error("no memory left")'))
    const failure = /^verify signatures: a worker thread failed: no memory left$/
    await expect(verifier.verify(MANY)).rejects.toThrow(failure)
    await expect(verifier.verify(MANY)).rejects.toThrow(failure)
    await expect(verifier.verify(MANY)).rejects.toBeInstanceOf(SyncError)
    await verifier.close()
  })

  it('fails the batch of a thread that ends at work', async () => {
    const verifier = createVerifier(scripted(`${IMPORT_PORT} parentPort.on('message', () => process.exit(3))`))
    await expect(verifier.verify(MANY)).rejects.toThrow('verify signatures: a worker thread ended with code 3')
    await verifier.close()
  })

  it('rejects what is under way when it is closed, and what comes after', async () => {
    const verifier = createVerifier(scripted(WAITS))
    const underWay = expect(verifier.verify(MANY)).rejects.toThrow('verify signatures: the verifier was closed')
    await verifier.close()
    await underWay
    await expect(verifier.verify(MANY)).rejects.toThrow('verify signatures: the verifier was closed')
    await verifier.close()
  })

  it('works under a small heap given by NODE_OPTIONS, and lets the process end', async () => {
    const program = `
      import { readFileSync } from 'node:fs'
      import { createVerifier } from ${JSON.stringify(new URL('../../dist/nostr/verifier.js', import.meta.url))}
      const events = readFileSync('src/demo/events/nip34.jsonl', 'utf8').trim().split('\\n').map((line) => JSON.parse(line))
      const verifier = createVerifier({ workers: 2 })
      const verdicts = (await Promise.all(Array.from({ length: 10 }, () => verifier.verify(events)))).flat()
      await verifier.close()
      console.log(verdicts.length, new Set(verdicts))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
      env: { ...process.env, NODE_OPTIONS: '--max-old-space-size=64' },
    })
    expect(stdout).toBe(`${realEvents().length * 10} Set(1) { 'valid' }\n`)
  })
})
