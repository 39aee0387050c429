import { readFileSync, writeFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { reasonOf, SyncError } from '../errors.ts'

/**
 * Writes what Node.js trusts to a PEM file for git, which reads no environment: its own certificate authorities and
 * those of a file (`NODE_EXTRA_CA_CERTS`). Throws SyncError if that cannot be read.
 */
export function writeCertificates(path: string, extraFile: string): void {
  const pem = [...rootCertificates, readExtra(extraFile)].join('\n')
  writeFileSync(path, `${pem}\n`, { mode: 0o600 })
}

function readExtra(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new SyncError(`read the certificates that NODE_EXTRA_CA_CERTS names: ${reasonOf(error)}`, { cause: error })
  }
}

/** Codes of Node.js and OpenSSL for a certificate that proves nothing. */
const CODES = /CERT|UNABLE_TO_VERIFY_LEAF/
/** What git says with GnuTLS and with OpenSSL. */
const WORDS =
  /(?:certificate verification failed|SSL certificate problem: [^\n]*|SSL: (?:no alternative certificate|certificate subject)[^\n]*)/
const NOT_TRUSTED = 'its TLS certificate is not trusted'

/** Says that a socket's error is about the server's certificate; undefined if it is not. */
export function describeDistrust(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return CODES.test(error.code) ? `${NOT_TRUSTED}: ${error.message}` : undefined
}

/** The same for what git wrote. */
export function findDistrust(stderr: string): string | undefined {
  const [words] = WORDS.exec(stderr) ?? []
  return words === undefined ? undefined : `${NOT_TRUSTED}: ${words}`
}
