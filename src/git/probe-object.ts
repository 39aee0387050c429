/*
 * Asks whether a server has an object, whatever its refs show: a mirror that is ahead of the signed state has it below
 * a newer ref. Protocol v2 lets any object be wanted by its id, and git answers `not our ref` only if it has none such.
 */
import type { ObjectId, Probed } from './git-access.ts'
import { CAPABILITIES, GitHttpError } from './git-http.ts'
import type { GitUrl } from './git-url.ts'
import { isObjectId } from './object-id.ts'
import { readFirstPacket, readPackets } from './pkt-line.ts'
import { formatOf, readAdvertisement, writeProbeRequest } from './read-listing.ts'
import { withLine, type Line, type LineOptions } from './with-line.ts'

/** What is read of an answer: its first line decides. */
const MAX_ANSWER = 2 * 1024
/** What an answer begins with if it goes on with a pack. */
const SENDS = new Set(['packfile', 'shallow-info'])
/** Not "want … not valid" (JGit): that is also said of objects that are there. */
const LACKS = /^ERR .*(?:not our ref|(?:unknown|no such|missing) object|object (?:not found|does not exist))/is

/** Asks for objects one after the other. Rejects only when the signal aborts. */
export async function probeObjects(
  url: GitUrl,
  ids: readonly ObjectId[],
  options: LineOptions,
): Promise<ReadonlyMap<ObjectId, Probed>> {
  const answers = new Map<ObjectId, Probed>(ids.map((id) => [id, 'not known']))
  const say = async (line: Line): Promise<void> => {
    const advertised = readAdvertisement(readPackets(await line.ask(CAPABILITIES)))
    if (advertised.version === 1 || !advertised.capabilities.has('fetch')) return
    for (const id of ids) answers.set(id, await probe(line, advertised.capabilities, id))
  }
  await withLine<void>(url, { say, fail: () => undefined }, options)
  return answers
}

async function probe({ ask }: Line, capabilities: ReadonlyMap<string, string>, id: ObjectId): Promise<Probed> {
  // No repository has objects of both formats.
  if (!isObjectId(id, formatOf(capabilities))) return 'lacks it'
  const body = writeProbeRequest(capabilities, id)
  const expects = 'application/x-git-upload-pack-result'
  try {
    return judge(await ask({ path: '/git-upload-pack', body, expects, isEnough }))
  } catch (error) {
    if (error instanceof GitHttpError) return 'not known'
    throw error
  }
}

function isEnough(answer: Buffer): boolean {
  return answer.length >= MAX_ANSWER || readFirstPacket(answer) !== undefined
}

function judge(answer: Buffer): Probed {
  const packet = readFirstPacket(answer.subarray(0, MAX_ANSWER))
  if (packet?.type !== 'line') return 'not known'
  if (SENDS.has(packet.text)) return 'has it'
  return LACKS.test(packet.text) ? 'lacks it' : 'not known'
}
