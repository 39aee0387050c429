import { reasonOf } from '../errors.ts'
import { describeDistrust } from './certificates.ts'
import type { Listing } from './git-access.ts'
import { CAPABILITIES, GitHttpError, TooLongError } from './git-http.ts'
import type { GitUrl } from './git-url.ts'
import { readPackets } from './pkt-line.ts'
import {
  readAdvertisement,
  readListing,
  ServerSaysError,
  TooManyRefsError,
  writeListRequest,
  type ListedRefs,
} from './read-listing.ts'
import { HostError } from './resolve-host.ts'
import { withLine, type Line, type LineOptions } from './with-line.ts'

const SAYS_ABSENT = /not found|does ?n['o]t exist|no such|not exist/i

/** Lists the refs of a repository. Rejects only when the signal aborts. */
export function listRefs(url: GitUrl, options: LineOptions): Promise<Listing> {
  return withLine<Listing>(url, { say: list, fail: describeFailure }, options)
}

async function list({ ask }: Line): Promise<ListedRefs> {
  const advertised = readAdvertisement(readPackets(await ask(CAPABILITIES)))
  if (advertised.version === 1) return advertised.listed
  const body = writeListRequest(advertised.capabilities)
  const expects = 'application/x-git-upload-pack-result'
  const answer = await ask({ path: '/git-upload-pack', body, expects })
  return readListing(readPackets(answer), advertised.capabilities)
}

function describeFailure(error: unknown): Listing {
  const reason = (describeDistrust(error) ?? reasonOf(error)).slice(0, 300)
  if (error instanceof HostError && error.isRefused) return { type: 'not asked', reason }
  if (error instanceof TooLongError || error instanceof TooManyRefsError) return { type: 'not asked', reason }
  const isAbsent =
    error instanceof GitHttpError
      ? error.status === 404 || error.status === 410
      : error instanceof ServerSaysError && SAYS_ABSENT.test(reason)
  return { type: isAbsent ? 'no repository' : 'unreachable', reason }
}
