/**
 * `node dist/test-relay/relay-process.js --file X [--port N] [--page-cap N] [--grasp NAME…] [--software TEXT]
 * [--accept KIND…] [--end-with-parent]`: runs a foreign relay in its own process, so that it can be killed. Prints
 * `listening ws://127.0.0.1:PORT` when ready and exits with 0 on SIGTERM.
 */
import { parseArgs } from 'node:util'

import { startForeignRelay, type ForeignRelay, type ForeignRelayOptions } from './foreign-relay.ts'

const { options, endsWithParent } = readArguments()
const relay = await startForeignRelay(options)
process.stdout.write(`listening ${relay.url}\n`)
process.once('SIGTERM', () => void stop(relay))
process.once('SIGINT', () => void stop(relay))
// A killed parent sends no signal, but its end of the pipe closes.
if (endsWithParent) process.stdin.resume().once('close', () => void stop(relay))

function readArguments(): { readonly options: ForeignRelayOptions; readonly endsWithParent: boolean } {
  const { values } = parseArgs({
    options: {
      file: { type: 'string' },
      port: { type: 'string', default: '0' },
      'page-cap': { type: 'string' },
      grasp: { type: 'string', multiple: true },
      software: { type: 'string' },
      accept: { type: 'string', multiple: true },
      'end-with-parent': { type: 'boolean', default: false },
    },
  })
  return { options: buildOptions(values), endsWithParent: values['end-with-parent'] }
}

type Values = {
  readonly file?: string
  readonly port: string
  readonly 'page-cap'?: string
  readonly grasp?: string[]
  readonly software?: string
  readonly accept?: string[]
}

function buildOptions(values: Values): ForeignRelayOptions {
  if (values.file === undefined) throw new Error('relay-process: --file is needed')
  return {
    file: values.file,
    port: Number(values.port),
    ...(values['page-cap'] === undefined ? {} : { pageCap: Number(values['page-cap']) }),
    ...(values.grasp === undefined ? {} : { supportedGrasps: values.grasp }),
    ...(values.software === undefined ? {} : { software: values.software }),
    ...(values.accept === undefined ? {} : { acceptsOnly: values.accept.map(Number) }),
  }
}

async function stop(running: ForeignRelay): Promise<void> {
  process.stdin.destroy()
  await running.close()
}
