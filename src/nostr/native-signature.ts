/*
 * Checks signatures by the system's libsecp256k1, five times as fast as in WebAssembly, where both that library and the
 * package koffi are installed (docs/decisions/0014). Neither is needed. What the two answer must be the same, always:
 * whether an event is valid must not depend on what a machine has installed.
 */
import { createRequire } from 'node:module'
import { SIGNED_BYTES } from './signed.ts'

/** Whether the signature of one event, packed as by `packSigned`, is right. Never throws. */
export type SignatureCheck = (signed: Uint8Array) => boolean

/** A check, and the name of the library that does it. */
export type NativeCheck = { readonly library: string; readonly isRight: SignatureCheck }

/** The part of koffi that we use. */
export type ForeignFunctions = {
  load(library: string): { func(declaration: string): (...parameters: readonly unknown[]) => unknown }
}

/** Releases 0.1 to 0.7. What carries an older or a newer number may take other parameters. */
const LIBRARIES = ['libsecp256k1.so.6', 'libsecp256k1.so.5', 'libsecp256k1.so.2', 'libsecp256k1.so.1']
const FOR_VERIFYING = 0x0101
const PARSED_KEY_BYTES = 64
/** The order of the curve: tiny-secp256k1 takes no signature whose first half is this or more. */
const ORDER = Buffer.from('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141', 'hex')

/** The first test vector of BIP-340, whose message is 32 zeros: public key and signature. */
const KNOWN_KEY = 'f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9'
const KNOWN_SIGNATURE =
  'e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca821525f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0'

/** Returns the check of the system's library; `undefined` without koffi, or without a library that works. */
export function loadNativeCheck(loadFunctions: () => ForeignFunctions = loadKoffi): NativeCheck | undefined {
  const functions = attempt(loadFunctions)
  if (functions === undefined) return undefined
  for (const library of LIBRARIES) {
    const isRight = attempt(() => openLibrary(functions, library))
    if (isRight !== undefined && attempt(() => isSound(isRight)) === true) return { library, isRight }
  }
  return undefined
}

function loadKoffi(): ForeignFunctions {
  const require = createRequire(import.meta.url)
  return require('koffi') as ForeignFunctions
}

/** Whatever fails here is missing, or of no use: WebAssembly does the same, slower. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

function openLibrary(functions: ForeignFunctions, library: string): SignatureCheck {
  const opened = functions.load(library)
  const parseKey = opened.func('int secp256k1_xonly_pubkey_parse(void *context, void *key, void *bytes)')
  const verify = opened.func(
    'int secp256k1_schnorrsig_verify(void *context, void *signature, void *message, size_t length, void *key)',
  )
  const createContext = opened.func('void *secp256k1_context_create(unsigned int flags)')
  const context = createContext(FOR_VERIFYING)
  const key = new Uint8Array(PARSED_KEY_BYTES)
  return (signed) => {
    if (Buffer.compare(signed.subarray(64, 96), ORDER) >= 0) return false
    if (parseKey(context, key, signed.subarray(32, 64)) !== 1) return false
    return verify(context, signed.subarray(64, SIGNED_BYTES), signed.subarray(0, 32), 32, key) === 1
  }
}

/** Whether a library tells a right signature from the same with one bit changed. */
function isSound(isRight: SignatureCheck): boolean {
  const signed = Buffer.from('00'.repeat(32) + KNOWN_KEY + KNOWN_SIGNATURE, 'hex')
  const changed = Buffer.from(signed)
  changed[0] = 1
  return isRight(signed) && !isRight(changed)
}
