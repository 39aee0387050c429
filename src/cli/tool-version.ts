import { readFileSync } from 'node:fs'

let version: string | undefined

/** The version of this program. */
export function toolVersion(): string {
  version ??= readVersion()
  return version
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
