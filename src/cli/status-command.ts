import { listSpooled } from '../store/list-spooled.ts'
import { loadStatus } from '../store/load-status.ts'
import type { WantedState } from '../store/state-key.ts'
import type { RenderOptions } from './render/canvas.ts'
import type { OutputOptions, StatusOptions } from './parse/options.ts'
import { toolVersion } from './tool-version.ts'
import { renderJson, renderJsonValue } from './render/render-json.ts'
import { renderSpooled } from './render/render-spooled.ts'
import { renderStatus } from './render/render-status.ts'
import { writePieces } from './write-output.ts'

/** The inputs of `status`. `wanted` names a target as the state file does; undefined means all. */
export type StatusRequest = {
  readonly stateFile: string
  readonly wanted: WantedState | undefined
  readonly list: StatusOptions
  readonly output: OutputOptions
  readonly stream: NodeJS.WriteStream
  readonly rendering: RenderOptions
}

type Lists = Parameters<Parameters<typeof listSpooled>[2]>[0]

/** Prints the content of the state file: a summary, or every event of the requested lists, in bounded memory. */
export async function showStatus(request: StatusRequest): Promise<void> {
  const { stateFile, wanted, list, output, stream, rendering } = request
  if (list.parked || list.refused) {
    return listSpooled(stateFile, wanted, (lists) => writePieces(stream, renderLists(request, lists)))
  }
  const status = loadStatus(stateFile, wanted)
  return writePieces(stream, [output.json ? renderJson(status) : renderStatus(status, rendering)])
}

function renderLists(
  { stateFile, list, output, rendering }: StatusRequest,
  { parked, refused }: Lists,
): Iterable<string> {
  const wanted = { ...(list.parked ? { parked } : {}), ...(list.refused ? { refused } : {}) }
  return output.json ? listAsJson(stateFile, wanted) : listAsText(wanted, rendering)
}

/** Yields one JSON document in pieces. */
function* listAsJson(stateFile: string, lists: Partial<Lists>): Generator<string> {
  yield `{"version":1,"toolVersion":${renderJsonValue(toolVersion())},"stateFile":${renderJsonValue(stateFile)}`
  for (const [name, events] of Object.entries(lists)) {
    yield `,"${name}":[`
    let separator = ''
    for (const event of events) {
      yield separator + renderJsonValue(event)
      separator = ','
    }
    yield ']'
  }
  yield '}\n'
}

function* listAsText({ parked, refused }: Partial<Lists>, rendering: RenderOptions): Generator<string> {
  if (parked !== undefined) yield* orNone(renderSpooled(parked, rendering), 'no event waits\n')
  if (parked !== undefined && refused !== undefined) yield '\n'
  if (refused !== undefined) yield* orNone(renderSpooled(refused, rendering), 'none was refused\n')
}

function* orNone(texts: Iterable<string>, none: string): Generator<string> {
  let isEmpty = true
  for (const text of texts) {
    isEmpty = false
    yield text
  }
  if (isEmpty) yield none
}
