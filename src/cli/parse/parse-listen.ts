import { isIP } from 'node:net'
import { ok, wrong, type Parsed } from './parsed.ts'

/** Where `serve` listens; port 0 is any free one. */
export type ListenAddress = { readonly host: string; readonly port: number }

const MAX_PORT = 65_535

/** Parses `127.0.0.1:7777`, `localhost:0`, `[::1]:7777` or `0.0.0.0:7777`: an IP address, never a name to look up. */
export function parseListen(text: string): Parsed<ListenAddress> {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text)
  const host = (match?.[1] ?? match?.[2] ?? '').toLowerCase()
  const port = Number(match?.[3] ?? Number.NaN)
  if (host !== 'localhost' && isIP(host) === 0)
    return wrong('is not an address with a port: give for example 127.0.0.1:7777 or [::1]:7777')
  return port <= MAX_PORT ? ok({ host, port }) : wrong(`has no such port: give one from 0 to ${MAX_PORT}`)
}
