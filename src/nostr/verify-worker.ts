// One thread of `verifier.ts`: rows of `packSigned` in, the answers of `verifySigned` out, in the order they came.
import { parentPort } from 'node:worker_threads'
import { verifySigned } from './signature.ts'

parentPort?.on('message', (packed: Uint8Array) => {
  const answers = verifySigned(packed)
  parentPort?.postMessage(answers, [answers.buffer])
})
