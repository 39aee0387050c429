import { createHash } from 'node:crypto'

import { Negentropy, NegentropyStorageVector } from '@welshman/net/dist/net/src/negentropy.js'

import { decodeMessage, encodeMessage } from '../../src/relay/negentropy/negentropy-message.ts'
import type { NegentropyAnswer, NegentropySession } from '../../src/relay/negentropy/negentropy-session.ts'
import { NegentropySupport } from '../../src/relay/negentropy/negentropy-support.ts'
import { RemoteResponder } from '../../src/relay/negentropy/remote-responder.ts'
import type { Responder } from '../../src/relay/negentropy/responder.ts'
import type { IdItem } from './id-items.ts'

// The reference implementation expects node:crypto where browsers and Node have WebCrypto.
Object.assign(globalThis.crypto, { createHash })

/** Answers one message, in hex. */
export type Answerer = (hex: string) => string | Promise<string>

/** The server side of the reference implementation, with a set of its own. */
export function createReference(items: readonly IdItem[], frameLimit = 60_000): Answerer {
  const storage = new NegentropyStorageVector()
  for (const { createdAt, id } of items) storage.insert(createdAt, id)
  storage.seal()
  const reference = new Negentropy(storage, frameLimit)
  return async (hex) => String((await reference.reconcile(hex))[0])
}

/** A responder of ours, spoken to in hex. */
export function overTheWire(responder: Responder): Answerer {
  return async (hex) => {
    const answer = await responder.ask(decodeMessage(hex))
    if (answer.type === 'failed') throw new Error(answer.reason)
    return encodeMessage(answer.ranges)
  }
}

/** A relay without a socket: answers come as if from a session, the traffic is counted, messages are kept. */
export function createRemote(
  answer: Answerer,
  maxFrameBytes?: number,
): RemoteResponder & { readonly messages: string[] } {
  const messages: string[] = []
  const send = async (hex: string): Promise<NegentropyAnswer> => {
    messages.push(hex)
    const reply = await answer(hex)
    return { type: 'msg', hex: reply, bytes: reply.length }
  }
  return Object.assign(
    createFromSession(() => ({ send, close: () => undefined }), maxFrameBytes),
    { messages },
  )
}

/** A responder over sessions made by hand. */
export function createFromSession(open: () => NegentropySession, maxFrameBytes?: number): RemoteResponder {
  const support = new NegentropySupport()
  return new RemoteResponder({ filter: {}, open, support, ...(maxFrameBytes !== undefined && { maxFrameBytes }) })
}
