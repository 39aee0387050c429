import type { OptionReader } from './option-reader.ts'
import { OPTIONS } from './option-table.ts'
import { parseFileName } from './parse-endpoint.ts'
import { parseTimeoutMs } from './parse-quantity.ts'
import { ok, parseChoice, wrong, type Parsed } from './parsed.ts'

/** How much is logged: each level with those before it. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const

/** How much is logged. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** How log lines look: for people, or one JSON object a line. */
export type LogFormat = 'text' | 'json'

/** Who else is told how a run goes. */
export type MonitoringOptions = {
  /** A name that ends in `.prom`. */
  readonly metricsFile: string | undefined
  /** An http(s) URL without user, password and fragment. Its path is a secret. */
  readonly ping: string | undefined
  readonly logFile: string | undefined
  readonly logFormat: LogFormat
  readonly logLevel: LogLevel
  /** Milliseconds between lines of progress where there is no terminal. */
  readonly statsMs: number | undefined
}

/** Reads the options of the group *Monitoring*. */
export function readMonitoring(reader: OptionReader): MonitoringOptions {
  return {
    metricsFile: reader.one(OPTIONS.metricsFile, parseMetricsFile),
    ping: reader.one(OPTIONS.ping, parsePing),
    logFile: reader.one(OPTIONS.logFile, parseLogFile),
    logFormat: reader.withDefault(OPTIONS.logFormat, parseChoice('text', 'json')),
    logLevel: reader.withDefault(OPTIONS.logLevel, parseChoice(...LOG_LEVELS)),
    statsMs: reader.one(OPTIONS.stats, parseTimeoutMs),
  }
}

/** Any other name would be written faithfully, and read by nobody. */
function parseMetricsFile(text: string): Parsed<string> {
  if (/[^/]\.prom$/.test(text)) return parseFileName(text)
  return wrong('does not end in .prom: node_exporter reads no other file, so give for example ngit-sync.prom')
}

function parseLogFile(text: string): Parsed<string> {
  if (text === '-') return wrong('is not a file: to see the lines on standard error, give --verbose')
  return parseFileName(text)
}

/** The path of such a URL is a secret, since it lets anybody report in our name. */
function parsePing(text: string): Parsed<string> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    return wrong('is not an http:// or https:// URL: give for example https://hc-ping.com/your-uuid')
  if (url.username !== '' || url.password !== '')
    return wrong('holds a user name or a password: give the URL without them (the part before @)')
  url.hash = ''
  return ok(url.href)
}
