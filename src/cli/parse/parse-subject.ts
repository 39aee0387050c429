import { formatAddress, parseAddress, type Address } from '../../nostr/address.ts'
import { isHex32 } from '../../nostr/event.ts'
import { decodeEventId, decodeRepository } from '../../nostr/nip19.ts'
import type { Subject } from '../../report/why.ts'
import { parseRepository } from './parse-repository.ts'
import { ok, wrong, wrongSecret, type Parsed } from './parsed.ts'

const FORMS =
  'is no event: give a nevent, note, naddr, 64 hex digits, <kind>:<public key>:<identifier>, or npub/identifier'

/** Parses what `why` is asked about: an event by its id, or what stands at an address, of a repository or any other. */
export function parseSubject(text: string): Parsed<Subject> {
  if (/n(?:crypt)?sec1/i.test(text)) return wrongSecret('holds a secret key (nsec): it is now in your shell history')
  const bare = text.replace(/^nostr:(?!\/\/)/i, '')
  const id = isHex32(bare.toLowerCase()) ? bare.toLowerCase() : decodeEventId(bare)
  if (id !== undefined) return ok({ type: 'id', id })
  const address = decodeRepository(bare) ?? parseAddress(bare)
  if (address !== undefined) return ok(at(address))
  const repository = parseRepository(text)
  return repository.type === 'ok' ? ok(at(repository.value)) : wrong(FORMS)
}

function at(address: Address): Subject {
  return { type: 'address', address: formatAddress(address) }
}
