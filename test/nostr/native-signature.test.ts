import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { computeEventId, type NostrEvent } from '../../src/nostr/event.ts'
import { loadNativeCheck, type ForeignFunctions } from '../../src/nostr/native-signature.ts'
import { isRightInWasm } from '../../src/nostr/signature.ts'
import { packSigned, SIGNED_BYTES } from '../../src/nostr/signed.ts'
import { keyOf, signEvent } from '../support/sign.ts'
import { realEvents } from './real-events.ts'

const ORDER = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'
const FIELD = 'fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f'
const ALICE = keyOf('alice')

type Library = { readonly parse?: () => number; readonly verify?: () => number }

/** A stand-in for koffi on a machine with these libraries. */
function machine(libraries: Record<string, Library>): () => ForeignFunctions {
  return () => ({
    load: (name) => {
      const library = libraries[name]
      if (library === undefined) throw new Error(`${name}: cannot open shared object file`)
      const { parse = () => 1, verify } = library
      return {
        func: (declaration) => {
          if (declaration.includes('context_create')) return () => ({})
          if (declaration.includes('pubkey_parse')) return parse
          if (verify !== undefined) return verify
          throw new Error('cannot find function secp256k1_schnorrsig_verify')
        },
      }
    },
  })
}

/** Says yes first and no next, as is right for what is asked at the start. */
function soundVerify(): () => number {
  let calls = 0
  return () => (calls++ === 0 ? 1 : 0)
}

describe('loadNativeCheck', () => {
  it('finds nothing without koffi', () => {
    const koffi = (): never => {
      throw new Error("Cannot find module 'koffi'")
    }
    expect(loadNativeCheck(koffi)).toBeUndefined()
  })

  it('finds nothing without a library whose parameters are known', () => {
    const libraries = { 'libsecp256k1.so.0': { verify: soundVerify() }, 'libsecp256k1.so': { verify: soundVerify() } }
    expect(loadNativeCheck(machine(libraries))).toBeUndefined()
  })

  it('passes over a library without Schnorr signatures', () => {
    const libraries = { 'libsecp256k1.so.6': {}, 'libsecp256k1.so.2': { verify: soundVerify() } }
    expect(loadNativeCheck(machine(libraries))?.library).toBe('libsecp256k1.so.2')
  })

  it.each([
    ['takes every signature', { verify: () => 1 }],
    ['takes no signature', { verify: () => 0 }],
    ['reads no public key', { parse: () => 0, verify: soundVerify() }],
  ])('passes over a library that %s', (_what, library) => {
    expect(loadNativeCheck(machine({ 'libsecp256k1.so.2': library }))).toBeUndefined()
  })
})

const native = loadNativeCheck()

// Only where both koffi and libsecp256k1 are installed: see CONTRIBUTING.md.
describe.runIf(native !== undefined)('the library of this system', () => {
  const isRight = native?.isRight ?? (() => undefined)
  const agrees = (signed: Uint8Array): boolean => {
    const answer = isRightInWasm(signed)
    expect(isRight(signed)).toBe(answer)
    return answer
  }

  it('takes every real event', () => {
    const packed = packSigned(realEvents())
    for (let at = 0; at < packed.length; at += SIGNED_BYTES)
      expect(agrees(packed.subarray(at, at + SIGNED_BYTES))).toBe(true)
  })

  it.each(['', 'pubkey', 'sig', 'sig, second half'])('agrees with WebAssembly on edge values: %s', (where) => {
    const good = Buffer.from(packSigned([note('edge')])).toString('hex')
    const at = { '': 0, pubkey: 64, sig: 128, 'sig, second half': 192 }[where] ?? 0
    const edges = ['00'.repeat(32), `${'00'.repeat(31)}01`, 'ff'.repeat(32), ORDER, FIELD, less(ORDER), less(FIELD)]
    for (const edge of edges) agrees(Buffer.from(good.slice(0, at) + edge + good.slice(at + 64), 'hex'))
  })

  it('agrees with WebAssembly on a flipped bit anywhere', () => {
    const packed = Buffer.from(packSigned([note('flipped')]))
    for (let bit = 0; bit < SIGNED_BYTES * 8; bit += 1) {
      const copy = Buffer.from(packed)
      copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(agrees(copy)).toBe(false)
    }
  })

  it('agrees with WebAssembly on any bytes, and on halves of good events put together', () => {
    const anyHalf = fc
      .constantFrom(...realEvents().slice(0, 40), note('one'), note('two'))
      .map((event) => packSigned([event]))
    const mixed = fc.tuple(anyHalf, anyHalf).map(([a, b]) => Buffer.concat([a.subarray(0, 64), b.subarray(64)]))
    const anyBytes = fc.uint8Array({ minLength: SIGNED_BYTES, maxLength: SIGNED_BYTES })
    fc.assert(
      fc.property(fc.oneof(mixed, anyBytes), (signed) => void agrees(signed)),
      { numRuns: 500 },
    )
  })
})

function note(content: string): NostrEvent {
  const event = signEvent(ALICE, { kind: 1, created_at: 1_750_000_000, tags: [], content })
  return { ...event, id: computeEventId(event) }
}

/** The number before this one. */
function less(hex: string): string {
  return (BigInt(`0x${hex}`) - 1n).toString(16).padStart(64, '0')
}
