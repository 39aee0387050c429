import type { RunEvent } from '../../run-event.ts'
import { foreign } from './foreign.ts'
import { formatPlural } from './format-quantity.ts'

type ServingEvent = Extract<RunEvent, { type: 'serving' }>

/** Says what is served where, and what the operator of the target has to do, by its software. */
export function renderServing({ url, events, software = '' }: ServingEvent): string {
  const place = foreign(url)
  const head = `serving ${formatPlural(events, 'event')} at ${place}, read-only, until the target has what it lacked`
  return [head, ...stepsFor(software, place), ''].join('\n')
}

function stepsFor(software: string, url: string): string[] {
  const grasp = [
    '  set these where ngit-grasp gets its environment, and restart it; afterwards put back what was there:',
    `    NGIT_SYNC_BOOTSTRAP_RELAY_URL=${url}`,
    `    NGIT_SYNC_PLUS_FALLBACK_RELAYS=${url}`,
    '    NGIT_USER_INDEX_RELAYS=',
  ]
  const strfry = ['  run this on the machine of strfry:', `    strfry sync ${url} --dir down`]
  if (/\bngit-grasp\b/i.test(software)) return grasp
  if (/\bstrfry\b/i.test(software)) return strfry
  return [
    '  let the target read from there, by what its software has for that:',
    `    ngit-grasp: NGIT_SYNC_BOOTSTRAP_RELAY_URL=${url}, and a restart`,
    `    strfry:     strfry sync ${url} --dir down`,
  ]
}
