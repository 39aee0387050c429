import { readService, type Service } from '../../src/nostr/service-url.ts'

/** The service at a URL that is known to be one. */
export function serviceAt(url: string): Service {
  const service = readService(url)
  if (service === undefined) throw new Error(`not the URL of a service: ${url}`)
  return service
}
