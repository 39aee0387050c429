import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { directoryOf } from './installation.ts'
import { fileHere, type PlainRelayName } from './recipes.ts'
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

/** Where a relay listens and keeps its things, and how it is configured. */
export type Place = { readonly port: number; readonly directory: string; readonly options: ForeignOptions }

type Command = Pick<RelayCommand, 'program' | 'args' | 'env'>

const TEN_YEARS_SECONDS = 315_360_000

/** The command line of each relay; where one reads a configuration, it is written first. */
export const FOREIGN_COMMANDS: Readonly<Record<PlainRelayName, (place: Place) => Command>> = {
  khatru: (place) => khatru(place, []),
  'khatru-memory': (place) => khatru(place, ['memory']),
  'nostr-sdk': ({ port, directory, options }) => ({
    program: join(directoryOf('nostr-sdk'), 'bin', 'python'),
    args: [fileHere('nostr-sdk/relay.py'), ...rustNostrArguments(port, directory, options)],
    env: rustNostrEnvironment(options),
  }),
  'nostr-relay': nostrRelay,
  'rust-nostr': ({ port, directory, options }) => ({
    program: join(directoryOf('rust-nostr'), 'bin', 'rust-nostr'),
    args: rustNostrArguments(port, directory, options),
    env: rustNostrEnvironment(options),
  }),
  'nostr-rs-relay': nostrRsRelay,
  rnostr,
}

function khatru({ port, directory, options: { pageCap, onlyFor } }: Place, modes: readonly string[]): Command {
  return {
    program: join(directoryOf('khatru'), 'bin', 'khatru'),
    args: [String(port), join(directory, 'storage'), ...modes, ...(onlyFor === undefined ? [] : ['auth'])],
    env: {
      ...(pageCap === undefined ? {} : { MAX_LIMIT: String(pageCap) }),
      ...(onlyFor === undefined ? {} : { ONLY_FOR: onlyFor }),
    },
  }
}

function nostrRsRelay({ port, directory }: Place): Command {
  const config = writeConfig(directory, 'config.toml', [
    '[info]',
    `relay_url = "ws://127.0.0.1:${port}/"`,
    '[database]',
    `data_directory = "${join(directory, 'storage')}"`,
    '[network]',
    'address = "127.0.0.1"',
    `port = ${port}`,
    '[options]',
    'reject_future_seconds = 1800',
  ])
  return { program: join(directoryOf('nostr-rs-relay'), 'bin', 'nostr-rs-relay'), args: [config] }
}

function rnostr({ port, directory, options: { pageCap = 300, onlyFor } }: Place): Command {
  const config = writeConfig(directory, 'rnostr.toml', [
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
  ])
  return { program: join(directoryOf('rnostr'), 'bin', 'rnostr'), args: [config] }
}

function nostrRelay({ port, directory, options: { pageCap = 6_000 } }: Place): Command {
  const checks = ['is_not_too_large', 'is_signed', 'is_recent']
  const settings = {
    storage: {
      'sqlalchemy.url': `sqlite+aiosqlite:///${join(directory, 'storage', 'events.sqlite3')}`,
      validators: checks.map((name) => `nostr_relay.validators.${name}`),
    },
    gunicorn: { bind: `127.0.0.1:${port}` },
    oldest_event: TEN_YEARS_SECONDS,
    max_event_size: 100_000,
    max_limit: pageCap,
  }
  // JSON is YAML.
  const config = writeConfig(directory, 'config.yaml', [JSON.stringify(settings)])
  return {
    program: join(directoryOf('nostr-relay'), 'bin', 'nostr-relay'),
    args: ['--config', config, 'serve', '--use-uvicorn'],
  }
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
