import { SyncError, UsageError } from './errors.ts'
import { hostAndPort } from './nostr/host.ts'
import type { Profile } from './relay/endpoint.ts'
import type { ScopeRequest } from './run-options.ts'
import { namedScope, type Scope } from './scope.ts'

/** The scope of a run and why it is that one. */
export type ScopeChoice = { readonly scope: Scope; readonly why: string }

const GRASP_SOFTWARE = /\bngit-(grasp|relay)\b/i

/**
 * Decides the scope. `auto` never widens because something failed: without the target's document the last run's scope
 * holds (`lastKind`), else SyncError.
 */
export function chooseScope(
  request: ScopeRequest,
  target: {
    readonly url: string
    readonly service: string | undefined
    readonly isFile: boolean
    readonly profile: Profile
  },
  lastKind: string | undefined,
): ScopeChoice {
  switch (request.type) {
    case 'named':
      return { scope: namedScope(request), why: 'named on the command line' }
    case 'all':
      return { scope: { type: 'all' }, why: '--scope all' }
    case 'listed':
      return listed(target, '--scope listed')
    case 'auto':
      return chooseAutomatically(target, lastKind)
  }
}

function chooseAutomatically(target: Parameters<typeof chooseScope>[1], lastKind: string | undefined): ScopeChoice {
  const { profile, url, isFile } = target
  if (isFile) return { scope: { type: 'all' }, why: 'the target is a file' }
  if (profile.documentError !== undefined) {
    if (lastKind === 'all')
      return { scope: { type: 'all' }, why: 'the target shows no NIP-11 document; as in the last run' }
    if (lastKind === 'listed') return listed(target, 'the target shows no NIP-11 document; as in the last run')
    throw new SyncError(`choose the scope: the NIP-11 document of ${url} could not be read: ${profile.documentError}`, {
      hint: 'give --scope all or --scope listed',
    })
  }
  if (isArchive(profile)) return { scope: { type: 'all' }, why: 'the target is a GRASP-05 archive' }
  if (isGrasp(profile)) return listed(target, 'the target is a GRASP relay')
  return { scope: { type: 'all' }, why: 'the target is not a GRASP relay' }
}

function listed({ service, url }: { service: string | undefined; url: string }, why: string): ScopeChoice {
  const host = hostAndPort(service ?? url)
  if (host === undefined) throw new UsageError([`--scope listed wants the public URL of the target: give --service`])
  return { scope: { type: 'listed', host }, why }
}

function isGrasp({ supportedGrasps, software }: Profile): boolean {
  return supportedGrasps.length > 0 || GRASP_SOFTWARE.test(software ?? '')
}

function isArchive({ supportedGrasps }: Profile): boolean {
  return supportedGrasps.some((grasp) => /(^|-)0?5$/.test(grasp))
}
