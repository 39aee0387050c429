import { arch, platform, release } from 'node:os'
import { loadNativeCheck } from '../nostr/native-signature.ts'
import { describeEngine } from '../store/describe-engine.ts'

/** What a report of a fault should say: the versions of the program and of what it runs on, one a line. */
export function describeVersions(version: string): string {
  const { sqlite, schema } = describeEngine()
  const lines = [
    ['ngit-sync', version],
    ['node', process.versions.node],
    ['sqlite', sqlite],
    ['schema', `${schema} of the state file`],
    ['platform', `${platform()} ${arch()}, ${release()}`],
    ['signatures', loadNativeCheck()?.library ?? 'WebAssembly'],
  ] as const
  return lines.map(([name, text]) => `${name.padEnd(10)} ${text}\n`).join('')
}
