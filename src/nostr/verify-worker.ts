// One thread of `verifier.ts`: receives the output of `packSigned`, sends the answers of `verifySigned` in order.
import { parentPort } from 'node:worker_threads'
import { verifySigned } from './signature.ts'

parentPort?.on('message', (packed: Uint8Array) => {
  const answers = verifySigned(packed)
  parentPort?.postMessage(answers, [answers.buffer])
})
