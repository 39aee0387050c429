import { LostRelayError, reasonOf } from '../errors.ts'
import { addressOf, isNewerVersion } from '../nostr/address.ts'
import { parseEvent, type NostrEvent } from '../nostr/event.ts'
import type { Verifier } from '../nostr/verifier.ts'
import { describeEnd } from '../relay/describe-end.ts'
import { findVersions } from '../relay/holdings.ts'
import type { Peer } from '../relay/peer.ts'
import type { PlaceAnswer, Subject } from '../report/why.ts'

/** What one relay or file says, and the verified event if it serves it. */
export type Asked = { readonly answer: PlaceAnswer; readonly event: NostrEvent | undefined }

/** Asks one relay or file for the event, or for the newest version of the address. Never throws for its sake. */
export async function askPlace(peer: Peer, subject: Subject, verifier: Verifier): Promise<Asked> {
  const { url } = peer.endpoint
  try {
    const found = subject.type === 'id' ? await findById(peer, subject.id) : await findAt(peer, subject.address)
    if (found === undefined) return { answer: answerOf(url, 'lacks'), event: undefined }
    const [verdict = 'wrong signature'] = await verifier.verify([found])
    if (verdict === 'valid') return { answer: answerOf(url, 'has'), event: found }
    return { answer: { ...answerOf(url, 'damaged'), reason: verdict }, event: undefined }
  } catch (error) {
    if (!(error instanceof LostRelayError)) throw error
    return { answer: unanswered(url, reasonOf(error)), event: undefined }
  }
}

/** Adds which version of its address a place serves in place of the event; changes nothing for a regular event. */
export async function askForVersion(
  peer: Peer,
  { answer, event: own }: Asked,
  { event, verifier }: { readonly event: NostrEvent; readonly verifier: Verifier },
): Promise<PlaceAnswer> {
  const address = addressOf(event)
  if (address === undefined || own?.id === event.id) return answer
  if (answer.answer === 'unanswered' || answer.answer === 'not asked') return answer
  const { event: version } = await askPlace(peer, { type: 'address', address }, verifier)
  if (version === undefined || version.id === event.id) return answer
  return { ...answer, answer: isNewerVersion(version, event) ? 'newer' : 'older', version: version.id }
}

/** An answer without details. */
export function answerOf(url: string, answer: PlaceAnswer['answer']): PlaceAnswer {
  return { url, answer, version: null, reason: null, drainedAt: null }
}

/** The answer of a place that could not be asked, and why. */
export function unanswered(url: string, reason: string): PlaceAnswer {
  return { ...answerOf(url, 'unanswered'), reason }
}

/** The unverified event that a relay or file serves under an id. Throws LostRelayError. */
export async function findById(peer: Peer, id: string): Promise<NostrEvent | undefined> {
  const { rows, end } = await peer.endpoint.request({ ids: [id], limit: 1 })
  const found = rows.flatMap((row) => parseEvent(row) ?? []).find((event) => event.id === id)
  if (found === undefined && end.type !== 'eose') {
    throw new LostRelayError(`ask ${peer.endpoint.url} for ids: ${describeEnd(end)}`)
  }
  return found
}

async function findAt(peer: Peer, address: string): Promise<NostrEvent | undefined> {
  return (await findVersions(peer, [address])).get(address)
}
