import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { NostrEvent } from '../../../src/nostr/event.ts'
import { directoryOf, fileHere, type RelayName } from './recipes.ts'
import type { RelayCommand } from './relay-process.ts'

/** How a relay is configured; what is left out is generous, where the relay lets itself be configured. */
export type ForeignOptions = {
  /** The most rows of one page. */
  readonly pageCap?: number
  /** Reads and writes only for this public key, by NIP-42. */
  readonly onlyFor?: string
  /** Events a minute. */
  readonly eventsPerMinute?: number
}

type Place = { readonly port: number; readonly directory: string; readonly options: ForeignOptions }

/** What the suite must know of a relay; docs/relays-measured.md tells it in words. */
export type Foreign = {
  /** What reports call it, from its NIP-11 document; null where it has none. */
  readonly software: string | null
  /** Whether it speaks NIP-77. */
  readonly reconciles: boolean
  /** Whether it speaks NIP-42 as the NIP has it: CLOSED and OK with `auth-required:`, and an OK to AUTH. */
  readonly authenticates: boolean
  /** Whether its page cap can be set. */
  readonly hasPageCap: boolean
  /** Whether it refuses protected events (NIP-70) from others than their authors. */
  readonly refusesProtected: boolean
  /** Whether it refuses events that have expired (NIP-40). */
  readonly refusesExpired: boolean
  /** What it says to an event of tomorrow; null where it takes it. */
  readonly refusesTomorrow: RegExp | null
  /** Whether the first event that it stores after a restart takes the place of the last one before. */
  readonly overwritesAfterRestart: boolean
  readonly command: (place: Place) => Pick<RelayCommand, 'program' | 'args' | 'env'>
}

const TEN_YEARS_SECONDS = 315_360_000

/** What two versions of one library have in common. */
const RUST_NOSTR = {
  software: null,
  reconciles: true,
  authenticates: true,
  hasPageCap: true,
  refusesProtected: true,
  refusesTomorrow: null,
  overwritesAfterRestart: false,
} as const

export const FOREIGN_RELAYS: Readonly<Record<RelayName, Foreign>> = {
  'rust-nostr': {
    ...RUST_NOSTR,
    refusesExpired: false,
    command: ({ port, directory, options }) => ({
      program: join(directoryOf('rust-nostr'), 'bin', 'rust-nostr'),
      args: rustNostrArguments(port, directory, options),
      env: rustNostrEnvironment(options),
    }),
  },
  'nostr-sdk': {
    ...RUST_NOSTR,
    refusesExpired: true,
    command: ({ port, directory, options }) => ({
      program: join(directoryOf('nostr-sdk'), 'bin', 'python'),
      args: [fileHere('nostr-sdk/relay.py'), ...rustNostrArguments(port, directory, options)],
      env: rustNostrEnvironment(options),
    }),
  },
  'nostr-rs-relay': {
    software: 'nostr-rs-relay 0.8.12',
    reconciles: false,
    authenticates: false,
    hasPageCap: false,
    refusesProtected: false,
    refusesExpired: true,
    refusesTomorrow: /^invalid: The event created_at field is out of the acceptable range/,
    overwritesAfterRestart: false,
    command: ({ port, directory }) => ({
      program: join(directoryOf('nostr-rs-relay'), 'bin', 'nostr-rs-relay'),
      args: [
        writeConfig(directory, 'config.toml', [
          '[info]',
          `relay_url = "ws://127.0.0.1:${port}/"`,
          '[database]',
          `data_directory = "${join(directory, 'storage')}"`,
          '[network]',
          'address = "127.0.0.1"',
          `port = ${port}`,
          '[options]',
          'reject_future_seconds = 1800',
        ]),
      ],
    }),
  },
  rnostr: {
    software: 'rnostr 0.4.8',
    reconciles: false,
    authenticates: true,
    hasPageCap: true,
    refusesProtected: true,
    refusesExpired: true,
    refusesTomorrow: /^invalid: event creation date must be older than \d+$/,
    overwritesAfterRestart: true,
    command: ({ port, directory, options: { pageCap = 300, onlyFor } }) => ({
      program: join(directoryOf('rnostr'), 'bin', 'rnostr'),
      args: [
        writeConfig(directory, 'rnostr.toml', [
          '[information]',
          'software = "https://github.com/rnostr/rnostr"',
          '[data]',
          `path = "${join(directory, 'storage')}"`,
          '[network]',
          'host = "127.0.0.1"',
          `port = ${port}`,
          '[limitation]',
          `max_limit = ${pageCap}`,
          `max_event_time_older_than_now = ${TEN_YEARS_SECONDS}`,
          ...(onlyFor === undefined ? [] : authOf(onlyFor)),
        ]),
      ],
    }),
  },
  'nostr-relay': {
    software: 'nostr_relay 1.14',
    reconciles: false,
    authenticates: false,
    hasPageCap: true,
    refusesProtected: false,
    refusesExpired: false,
    refusesTomorrow: /^invalid: \d+ is in the future$/,
    overwritesAfterRestart: false,
    command: ({ port, directory, options: { pageCap = 6_000 } }) => ({
      program: join(directoryOf('nostr-relay'), 'bin', 'nostr-relay'),
      args: [
        '--config',
        // JSON is YAML.
        writeConfig(directory, 'config.yaml', [
          JSON.stringify({
            storage: {
              'sqlalchemy.url': `sqlite+aiosqlite:///${join(directory, 'storage', 'events.sqlite3')}`,
              validators: ['is_not_too_large', 'is_signed', 'is_recent'].map(
                (name) => `nostr_relay.validators.${name}`,
              ),
            },
            gunicorn: { bind: `127.0.0.1:${port}` },
            oldest_event: TEN_YEARS_SECONDS,
            max_event_size: 100_000,
            max_limit: pageCap,
          }),
        ]),
        'serve',
        '--use-uvicorn',
      ],
    }),
  },
}

/** Whether this relay takes the event from somebody else than its author, `now` in Unix seconds. */
export function takes(name: RelayName, { tags }: NostrEvent, now: number): boolean {
  const { refusesProtected, refusesExpired } = FOREIGN_RELAYS[name]
  const isProtected = tags.some(([tag]) => tag === '-')
  const hasExpired = tags.some(([tag, time]) => tag === 'expiration' && Number(time) <= now)
  return !(isProtected && refusesProtected) && !(hasExpired && refusesExpired)
}

function rustNostrArguments(port: number, directory: string, { onlyFor }: ForeignOptions): string[] {
  return [String(port), join(directory, 'storage'), ...(onlyFor === undefined ? [] : ['auth'])]
}

function rustNostrEnvironment({ pageCap, eventsPerMinute = 1_000_000 }: ForeignOptions): Record<string, string> {
  const cap = pageCap === undefined ? {} : { MAX_LIMIT: String(pageCap) }
  return { NOTES_PER_MINUTE: String(eventsPerMinute), ...cap }
}

function authOf(pubkey: string): string[] {
  const whitelist = `pubkey_whitelist = ["${pubkey}"]`
  return ['[auth]', 'enabled = true', '[auth.req]', whitelist, '[auth.event]', whitelist]
}

function writeConfig(directory: string, name: string, lines: readonly string[]): string {
  const path = join(directory, name)
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
  return path
}
